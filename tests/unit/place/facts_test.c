/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts: only printable text counts, what is known first stays, and what is written is read again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "place/facts.h"

static char **field_of(struct facts *f, size_t i)
{
    return (char **)((char *)f + FACT_FIELDS[i].offset);
}

static void fill(struct facts *f)
{
    for (size_t i = 0; FACT_FIELDS[i].name; i++)
        assert_int_equal(facts_set(field_of(f, i), FACT_FIELDS[i].name), 0);
}

static void assert_full(struct facts *f)
{
    for (size_t i = 0; FACT_FIELDS[i].name; i++)
        assert_string_equal(*field_of(f, i), FACT_FIELDS[i].name);
}

static void the_table_has_every_member(void **state)
{
    size_t count = 0;

    (void)state;
    while (FACT_FIELDS[count].name)
        count++;
    assert_int_equal(count, offsetof(struct facts, asked) / sizeof(char *));
}

static void what_is_written_is_read_again(void **state)
{
    CLEANUP(facts_done) struct facts full = {.asked = true}, again = {0}, copy = {0}, none = {0};
    CLEANUP(buf_done) struct buf text = {0}, empty = {0};

    (void)state;
    fill(&full);
    assert_int_equal(facts_encode(&full, &text), 0);
    assert_int_equal(facts_decode(text.data, text.size, &again), 0);
    assert_full(&again);
    assert_true(again.asked);
    assert_int_equal(facts_copy(&again, &copy), 0);
    assert_full(&copy);
    assert_true(copy.asked);
    assert_int_equal(facts_encode(&none, &empty), 0);
    assert_int_equal(facts_decode(empty.data, empty.size, &none), 0);
    assert_false(none.asked);
    assert_null(none.cluster);
}

static void only_a_printable_line_of_text_counts(void **state)
{
    static const char *const bad[] = {"", "a\nb", "\x1b[31m", "\x7f", "\xff", "caf\xc3", "\t"};
    static const char *const good[] = {"a", "a b/..", "caf\xc3\xa9"};
    char longest[FACT_MAX + 2];
    char *value = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(facts_set(&value, bad[i]), 0);
        assert_null(value);
    }
    assert_int_equal(facts_set(&value, NULL), 0);
    assert_null(value);
    memset(longest, 'a', sizeof(longest));
    longest[FACT_MAX + 1] = '\0';
    assert_int_equal(facts_set(&value, longest), 0);
    assert_null(value);
    longest[FACT_MAX] = '\0';
    assert_int_equal(facts_set(&value, longest), 0);
    assert_string_equal(value, longest);
    free(TAKE_PTR(value));
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_int_equal(facts_set(&value, good[i]), 0);
        assert_string_equal(value, good[i]);
        free(TAKE_PTR(value));
    }
}

static void what_is_known_first_stays(void **state)
{
    CLEANUP(facts_done) struct facts a = {0}, b = {.asked = true};

    (void)state;
    assert_int_equal(facts_set(&a.cluster, "one"), 0);
    assert_int_equal(facts_set(&a.cluster, "two"), 0);
    assert_int_equal(facts_set(&b.cluster, "three"), 0);
    assert_int_equal(facts_set(&b.task, "four"), 0);
    facts_merge(&a, &b);
    assert_string_equal(a.cluster, "one");
    assert_string_equal(a.task, "four");
    assert_true(a.asked);
    assert_null(b.task);
    assert_string_equal(b.cluster, "three");
}

static void what_is_malformed_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "null",
                                      "{}",
                                      "{\"asked\":1}",
                                      "{\"asked\":true,\"task\":5}",
                                      "{\"asked\":true,\"asked\":true}",
                                      "{\"asked\":true}x"};
    CLEANUP_FREE char *huge = malloc(FACTS_MAX + 1);
    struct facts f = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(facts_decode(bad[i], strlen(bad[i]), &f), -EBADMSG);
    assert_int_equal(facts_decode(NULL, 0, &f), -EBADMSG);
    memset(huge, ' ', FACTS_MAX + 1);
    memcpy(huge, "{\"asked\":true}", 14);
    assert_int_equal(facts_decode(huge, FACTS_MAX + 1, &f), -EBADMSG);
    assert_int_equal(facts_decode(huge, FACTS_MAX, &f), 0);
    facts_done(&f);
}

static void unknown_names_and_unprintable_values_are_ignored(void **state)
{
    static const char text[] = "{\"asked\":false,\"moon\":1,\"task\":\"a\\u0007b\",\"zone\":\"z\"}";
    CLEANUP(facts_done) struct facts f = {0};

    (void)state;
    assert_int_equal(facts_decode(text, strlen(text), &f), 0);
    assert_null(f.task);
    assert_string_equal(f.zone, "z");
}

static void containers_of_a_machine_share_what_is_the_machines(void **state)
{
    static const char *const shared[] = {"instance", "instance_type", "region", "zone"};
    CLEANUP(facts_done) struct facts full = {.asked = true}, machine = {0};

    (void)state;
    fill(&full);
    assert_int_equal(facts_of_machine(&full, &machine), 0);
    assert_full(&full);
    assert_true(machine.asked);
    for (size_t i = 0; FACT_FIELDS[i].name; i++) {
        bool is_shared = false;

        for (size_t n = 0; n < ARRAY_SIZE(shared); n++)
            is_shared |= strcmp(FACT_FIELDS[i].name, shared[n]) == 0;
        if (is_shared)
            assert_string_equal(*field_of(&machine, i), FACT_FIELDS[i].name);
        else
            assert_null(*field_of(&machine, i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_every_member),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(only_a_printable_line_of_text_counts),
        cmocka_unit_test(what_is_known_first_stays),
        cmocka_unit_test(containers_of_a_machine_share_what_is_the_machines),
        cmocka_unit_test(what_is_malformed_is_refused),
        cmocka_unit_test(unknown_names_and_unprintable_values_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
