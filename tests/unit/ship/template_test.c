/* SPDX-License-Identifier: Apache-2.0
 *
 * Key templates: which are refused, what hostile values turn into, and that no value is long or odd enough to make
 * two files share a key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/key_template.h"

#define ID "0123456789abcdef"

struct pair {
    const char *name, *value;
};

/* Values a test does not name are "NAME" in its own variable. */
static const char *value_of(void *ctx, const char *name)
{
    const struct pair *p = ctx;

    for (; p && p->name; p++)
        if (text_eq(p->name, name))
            return p->value;
    return text_eq(name, "id") ? ID : name;
}

static char *fill(const char *template, struct pair *pairs)
{
    struct err e = {0};
    char *key;

    if (template_check(template, &e) < 0)
        fail_msg("%s", e.msg);
    key = template_fill(template, value_of, pairs);
    assert_non_null(key);
    if (!template_match(template, key))
        fail_msg("'%s' does not match '%s'", key, template);
    return key;
}

/* The key when {name} has this value. */
static void assert_name(const char *template, const char *name, const char *expected)
{
    struct pair pairs[] = {{"name", name}, {0}};
    CLEANUP_FREE char *key = fill(template, pairs);

    assert_string_equal(key, expected);
}

static void assert_place(const char *template, const char *place, const char *expected)
{
    struct pair pairs[] = {{"place", place}, {0}};
    CLEANUP_FREE char *key = fill(template, pairs);

    assert_string_equal(key, expected);
}

static void assert_refused(const char *template, const char *words)
{
    struct err e = {0};

    assert_int_equal(template_check(template, &e), -FAULT_TEMPLATE);
    if (!strstr(e.msg, words))
        fail_msg("'%s': '%s' does not say '%s'", template, e.msg, words);
}

static void the_default_is_filled_as_documented(void **state)
{
    struct pair pairs[] = {{"place", "shop/cart-7f"},
                           {"time", "20261121T015605Z"},
                           {"cause", "java-oom"},
                           {"file", "heap.hprof.zst"},
                           {0}};
    CLEANUP_FREE char *key = fill(TEMPLATE_DEFAULT, pairs);

    (void)state;
    assert_string_equal(key, "shop/cart-7f/20261121T015605Z-java-oom-" ID "/heap.hprof.zst");
}

static void every_variable_of_the_table_can_be_used(void **state)
{
    (void)state;
    for (const struct template_variable *v = TEMPLATE_VARIABLES; v->name; v++) {
        char template[64], expected[64];
        CLEANUP_FREE char *key = NULL;

        assert_true(strlen(v->help) > 0);
        snprintf(template, sizeof(template), "a-{%s}-b/{id}", v->name);
        snprintf(expected, sizeof(expected), "a-%s-b/" ID, text_eq(v->name, "id") ? ID : v->name);
        key = fill(template, NULL);
        assert_string_equal(key, expected);
    }
}

static void unknown_variables_are_refused_with_those_there_are(void **state)
{
    (void)state;
    assert_refused("{id}/{nmae}", "no variable {nmae}; there are {place} {namespace}");
    assert_refused("{id}/{nmae}", "{file}");
    assert_refused("{id}/{}", "no variable {}");
    assert_refused("{id}/{ id }", "no variable { id }");
    assert_refused("{ID}", "no variable {ID}");
}

static void braces_come_in_pairs(void **state)
{
    static const char *const templates[] = {"}",           "}}",   "{", "{id", "{id}/}", "{{id}}", "{id}/{pod{name}",
                                            "{id/{name}}", "{id}{"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(templates); i++)
        assert_refused(templates[i], "brace");
}

static void empty_parts_are_refused(void **state)
{
    static const char *const templates[] = {"/{id}", "{id}/", "{pod}//{id}", "/", "//"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(templates); i++)
        assert_refused(templates[i], "empty part");
    assert_refused("", "is empty");
}

static void dot_parts_are_refused(void **state)
{
    static const char *const templates[] = {"../{id}", "./{id}", "{pod}/../{id}", "{id}/.."};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(templates); i++)
        assert_refused(templates[i], "'..'");
    assert_name("...{id}/.{name}", "x", "..." ID "/.x");
}

static void control_characters_and_broken_utf8_are_refused(void **state)
{
    static const char *const templates[] = {"a\n{id}",  "a\x7F{id}",    "\xC3{id}",
                                            "{id}\xFF", "\xC2\x80{id}", "\xEF\xBF\xBF{id}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(templates); i++)
        assert_refused(templates[i], "control characters");
    assert_name("gr\xC3\xB6\xC3\x9F e/{id}", "x", "gr\xC3\xB6\xC3\x9F e/" ID);
}

static void a_template_must_tell_dumps_apart(void **state)
{
    (void)state;
    assert_refused("{place}/{time}/{file}", "no {id}");
    assert_refused("{id}/heap", "last part");
    assert_refused("{id}/{time}", "last part");
    assert_int_equal(template_check("{id}", NULL), 0);
    assert_int_equal(template_check("{id}/{name}", NULL), 0);
    assert_int_equal(template_check("{id}/{file}", NULL), 0);
}

static void a_template_must_leave_room_for_its_values(void **state)
{
    char template[600];

    (void)state;
    memset(template, 'x', sizeof(template));
    memcpy(template + 184, "{id}", 5);
    assert_int_equal(template_check(template, NULL), 0);
    memcpy(template + 184, "x{id}", 6);
    assert_refused(template, "too long");
    memcpy(template + 176, "{name}{id}", 11);
    assert_int_equal(template_check(template, NULL), 0);
    memcpy(template + 177, "{name}{id}", 11);
    template[176] = 'x';
    assert_refused(template, "too long");
    for (size_t i = 0; i < 512; i += 64)
        template[i] = '/', template[i + 1] = 'x';
    template[0] = 'x';
    memset(template + 177, 'x', 20);
    memcpy(template + 508, "{id}", 5);
    assert_int_equal(strlen(template), 512);
    assert_int_equal(template_check(template, NULL), 0);
    memcpy(template + 508, "x{id}", 6);
    assert_refused(template, "longer than 512");
}

static void bytes_that_are_awkward_in_a_key_become_underscores(void **state)
{
    (void)state;
    assert_name("{id}/{name}", "Az09._-+@=,", ID "/Az09._-+@=,");
    assert_name("{id}/{name}", "a b\tc\nd", ID "/a_b_c_d");
    assert_name("{id}/{name}", "a/b\\c:d*e?f\"g<h>i|j%k#l&m;n'o`p$q(r)s{t}u~v!",
                ID "/a_b_c_d_e_f_g_h_i_j_k_l_m_n_o_p_q_r_s_t_u_v_");
    assert_name("{id}/{name}", "\x1B[31m\x7F", ID "/__31m_");
}

static void utf8_is_kept_where_it_is_well_formed_and_harmless(void **state)
{
    (void)state;
    assert_name("{id}/{name}",
                "gr\xC3\xB6\xC3\x9F"
                "e-\xE5\xA0\x86-\xF0\x9F\x94\xA5",
                ID "/gr\xC3\xB6\xC3\x9F"
                   "e-\xE5\xA0\x86-\xF0\x9F\x94\xA5");
    assert_name("{id}/{name}", "\xFF\xC3(\xE5\xA0", ID "/_____");
    assert_name("{id}/{name}", "\xC0\xAF..\xED\xA0\x80", ID "/__..___");
    assert_name("{id}/{name}", "\xC2\x80\xC2\x9F\xC2\xA0", ID "/____\xC2\xA0"); /* control characters */
    assert_name("{id}/{name}", "\xEF\xBF\xBD\xEF\xBF\xBE\xEF\xBF\xBF", ID "/\xEF\xBF\xBD______"); /* not in XML */
}

static void no_value_makes_a_dot_segment(void **state)
{
    (void)state;
    assert_name("{name}/{id}", ".", "_/" ID);
    assert_name("{name}/{id}", "..", "__/" ID);
    assert_name("{name}/{id}", "...", ".../" ID);
    assert_name("{name}./{id}", ".", "_./" ID);
    assert_name(".{name}/{id}", ".", "._/" ID);
    assert_name("{name}{name}/{id}", ".", "__/" ID);
    assert_name("{id}/{name}", "../../x", ID "/.._.._x");
    assert_place("{place}/{id}", "../../x", "__/__/x/" ID);
    assert_place("{place}/{id}", "a/./..", "a/_/__/" ID);
    assert_place(".{place}./{id}", "./.", "._/_./" ID);
}

static void slashes_of_a_value_never_make_an_empty_part(void **state)
{
    (void)state;
    assert_place("{place}/{id}", "/a//b/", "a/b/" ID);
    assert_place("{place}/{id}", "///", "none/" ID);
    assert_place("x{place}y/{id}", "/a/", "xay/" ID);
    assert_place("{place}/{id}", "ecs/prod/cart/0af3", "ecs/prod/cart/0af3/" ID);
}

static void a_missing_value_is_none(void **state)
{
    (void)state;
    assert_name("{id}/{name}", NULL, ID "/none");
    assert_name("{id}/{name}", "", ID "/none");
    assert_place("{place}/{id}", NULL, "none/" ID);
}

static void a_long_name_is_cut_and_keeps_its_suffix(void **state)
{
    char name[256], expected[256];

    (void)state;
    memset(name, 'x', 255);
    memcpy(name + 249, ".hprof", 7);
    memset(expected, 'x', 255);
    memcpy(expected, ID "/", 17);
    memcpy(expected + 17 + 194, ".hprof", 7);
    assert_name("{id}/{name}", name, expected);

    memset(name, 'x', 255);
    name[100] = '.'; /* more than 32 bytes before the end: no suffix */
    memset(expected + 17, 'x', 200);
    expected[17 + 100] = '.';
    expected[17 + 200] = '\0';
    assert_name("{id}/{name}", name, expected);

    name[200] = '\0'; /* what just fits is left alone */
    assert_name("{id}/{name}", name, expected);
}

static void characters_are_not_cut_in_half(void **state)
{
    char name[256], expected[256] = ID "/";
    char *p = expected + strlen(expected);

    (void)state;
    for (size_t i = 0; i < 248; i += 2)
        memcpy(name + i, "\xC3\xA9", 2);
    memcpy(name + 248, ".hprof", 7);
    memcpy(p, name, 194);
    memcpy(p + 194, ".hprof", 7);
    assert_name("{id}/{name}", name, expected);

    memcpy(name + 248, ".hprf", 6); /* an odd number of bytes would be left */
    memcpy(p + 194, ".hprf", 6);
    assert_name("{id}/{name}", name, expected);
}

static void a_long_value_never_pushes_the_id_out(void **state)
{
    char pod[301], name[301];
    struct pair pairs[] = {{"pod", pod}, {"name", name}, {0}};

    (void)state;
    memset(pod, 'p', 300);
    memset(name, 'n', 300);
    pod[300] = name[300] = '\0';

    CLEANUP_FREE char *one = fill("{name}-{id}", pairs);
    assert_int_equal(strlen(one), 200);
    assert_true(text_ends(one, "n-" ID));

    CLEANUP_FREE char *two = fill("{pod}-{name}-{cause}-{id}", pairs);
    assert_int_equal(strlen(two), 200); /* 88 each: the short value is left whole */
    assert_true(text_ends(two, "n-cause-" ID));
    assert_true(text_starts(two, "pppp"));
}

static void a_long_place_is_cut_part_by_part(void **state)
{
    char place[603];
    struct pair pairs[] = {{"place", place}, {0}};

    (void)state;
    memset(place, 'p', 602);
    place[300] = '/';
    place[602] = '\0';
    CLEANUP_FREE char *key = fill("{place}/{id}", pairs);
    assert_int_equal(strlen(key), 200 + 1 + 200 + 1 + 16);
    assert_int_equal(key[200], '/');
    assert_int_equal(key[401], '/');
}

static void keys_of_others_do_not_match(void **state)
{
    static const char *const keys[] = {
        "",
        "a",
        "a/b-c-" ID, /* no file */
        "a/b-c-" ID "/",
        "/a/b-c-" ID "/f",
        "a/b-c-0123456789ABCDEF/f", /* not our digits */
        "a/b-c-0123456789abcde/f",
        "a/b-c-" ID "0/f/g",
        "a/bc-" ID "/f",    /* a '-' missing */
        "a/b-c-" ID "/f g", /* a byte that is never kept */
        "a/b-c-" ID "/f\n",
        "a/b-c-" ID "/\xFF",
        "a/../b-c-" ID "/f",
        "a/./b-c-" ID "/f",
        "a//b-c-" ID "/f",
        "a/b-c-" ID "/..",
    };

    (void)state;
    assert_true(template_match(TEMPLATE_DEFAULT, "a/b-c-" ID "/f"));
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (template_match(TEMPLATE_DEFAULT, keys[i]))
            fail_msg("'%s' matches", keys[i]);
}

static void all_ways_to_read_a_key_are_tried(void **state)
{
    (void)state;
    assert_true(template_match("{name}-{id}", "a-b-" ID "-" ID));
    assert_true(template_match("{name}{pod}-{id}", "abc-" ID));
    assert_false(template_match("{name}{pod}-{id}", "a-" ID));
    assert_true(template_match("{place}/x/{id}", "x/x/x/x/" ID));
    assert_false(template_match("{pod}/x/{id}", "x/x/x/" ID)); /* only {place} has slashes */
    assert_true(template_match("{id}{id}", ID ID));
    assert_false(template_match("{id}{id}", ID));
}

static void matching_takes_no_time_however_ambiguous(void **state)
{
    char template[TEMPLATE_MAX + 1] = "", key[8192];
    size_t size = 0;

    (void)state;
    for (int i = 0; i < 24; i++)
        size += (size_t)snprintf(template + size, sizeof(template) - size, "{place}a");
    snprintf(template + size, sizeof(template) - size, "{id}");
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = i % 100 == 99 ? '/' : 'a';
    key[sizeof(key) - 2] = 'g'; /* no id at the end: backtracking would try every way to get there */
    key[sizeof(key) - 1] = '\0';
    assert_false(template_match(template, key));
}

static void segments_longer_than_we_make_do_not_match(void **state)
{
    char key[300];

    (void)state;
    memset(key, 'x', sizeof(key));
    memcpy(key, ID "/", 17);
    key[17 + 200] = '\0';
    assert_true(template_match("{id}/{name}", key));
    key[17 + 200] = 'x';
    key[17 + 201] = '\0';
    assert_false(template_match("{id}/{name}", key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_is_filled_as_documented),
        cmocka_unit_test(every_variable_of_the_table_can_be_used),
        cmocka_unit_test(unknown_variables_are_refused_with_those_there_are),
        cmocka_unit_test(braces_come_in_pairs),
        cmocka_unit_test(empty_parts_are_refused),
        cmocka_unit_test(dot_parts_are_refused),
        cmocka_unit_test(control_characters_and_broken_utf8_are_refused),
        cmocka_unit_test(a_template_must_tell_dumps_apart),
        cmocka_unit_test(a_template_must_leave_room_for_its_values),
        cmocka_unit_test(bytes_that_are_awkward_in_a_key_become_underscores),
        cmocka_unit_test(utf8_is_kept_where_it_is_well_formed_and_harmless),
        cmocka_unit_test(no_value_makes_a_dot_segment),
        cmocka_unit_test(slashes_of_a_value_never_make_an_empty_part),
        cmocka_unit_test(a_missing_value_is_none),
        cmocka_unit_test(a_long_name_is_cut_and_keeps_its_suffix),
        cmocka_unit_test(characters_are_not_cut_in_half),
        cmocka_unit_test(a_long_value_never_pushes_the_id_out),
        cmocka_unit_test(a_long_place_is_cut_part_by_part),
        cmocka_unit_test(keys_of_others_do_not_match),
        cmocka_unit_test(all_ways_to_read_a_key_are_tried),
        cmocka_unit_test(matching_takes_no_time_however_ambiguous),
        cmocka_unit_test(segments_longer_than_we_make_do_not_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
