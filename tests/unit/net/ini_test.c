/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS's shared files as people have them: nested settings, odd spacing, Windows' line ends, and broken ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "net/ini.h"

/* A copy at the very end of its memory, so that a sanitizer sees a byte read too much. */
static int get_of(const char *text, size_t size, const struct ini_place *place, char **ret)
{
    CLEANUP_FREE char *data = malloc(size);

    assert_true(data || size == 0);
    if (size > 0)
        memcpy(data, text, size);
    return ini_get(data, size, place, ret);
}

static void assert_at(const char *text, const struct ini_place *place, const char *value)
{
    char untouched, *found = &untouched;
    int r = get_of(text, strlen(text), place, &found);

    if (!value) {
        assert_int_equal(r, -ENOENT);
        assert_ptr_equal(found, &untouched);
        return;
    }
    assert_int_equal(r, 0);
    assert_string_equal(found, value);
    free(found);
}

static void assert_value(const char *text, const char *section, const char *name, const char *value)
{
    assert_at(text, &(struct ini_place){INI_PLAIN, section, name, NULL}, value);
}

static void assert_none(const char *text, const char *section, const char *name)
{
    assert_at(text, &(struct ini_place){INI_PLAIN, section, name, NULL}, NULL);
}

static const char CREDENTIALS[] = "# made by hand\n"
                                  "[default]\n"
                                  "aws_access_key_id = AKIDEFAULT\n"
                                  "aws_secret_access_key=abc/def+ghi=\n"
                                  "\n"
                                  "; another one\n"
                                  "[team-a]\n"
                                  "aws_access_key_id\t=\tAKITEAM  \n"
                                  "AWS_Session_Token = tok#en;x\n";

static void a_value_is_found_in_its_section_only(void **state)
{
    (void)state;
    assert_value(CREDENTIALS, "default", "aws_access_key_id", "AKIDEFAULT");
    assert_value(CREDENTIALS, "team-a", "aws_access_key_id", "AKITEAM");
    assert_none(CREDENTIALS, "team-a", "aws_secret_access_key");
    assert_none(CREDENTIALS, "default", "aws_session_token");
    assert_none(CREDENTIALS, "team", "aws_access_key_id");
}

static void a_secret_may_hold_what_looks_like_syntax(void **state)
{
    (void)state;
    assert_value(CREDENTIALS, "default", "aws_secret_access_key", "abc/def+ghi=");
    assert_value(CREDENTIALS, "team-a", "aws_session_token", "tok#en;x");
}

static void names_know_no_case_and_sections_do(void **state)
{
    (void)state;
    assert_value(CREDENTIALS, "default", "AWS_ACCESS_KEY_ID", "AKIDEFAULT");
    assert_none(CREDENTIALS, "Default", "aws_access_key_id");
}

static void a_config_file_says_profile_before_the_name(void **state)
{
    static const char config[] =
        "[profile dev]\nregion = eu-west-1\n[ profile\t ops ]\nregion = eu-west-2\n"
        "[profiledev]\nregion = wrong\n[sso-session sso]\nregion = wrong\n[profile]\nregion=p\n"
        "[bare]\nregion = wrong\n[default]\nregion = d\n[profile \"two words\"]\nregion = two\n";
    static const char *const rows[][2] = {{"dev", "eu-west-1"}, {"ops", "eu-west-2"}, {"default", "d"},
                                          {"bare", NULL},       {"sso", NULL},        {"profile", NULL},
                                          {"de", NULL},         {"two words", "two"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_at(config, &(struct ini_place){INI_PROFILE, rows[i][0], "region", NULL}, rows[i][1]);
        assert_int_equal(ini_has_section(config, strlen(config), INI_PROFILE, rows[i][0]), rows[i][1] ? 0 : -ENOENT);
    }
    assert_value(config, "profile", "region", "p");
    assert_at(config, &(struct ini_place){INI_SSO_SESSION, "sso", "region", NULL}, "wrong");
}

static void the_lines_below_a_name_have_names_of_their_own(void **state)
{
    static const char config[] = "[default]\nservices = lab\ns3 =\n  addressing_style = path\n\n  # more\n"
                                 "  signature_version = s3v4\noutput = x\n  addressing_style = not s3's\n"
                                 "[services lab]\ns3 =\n  endpoint_url = http://s3:9000\nsts =\n"
                                 "    endpoint_url = http://sts:9000\n[services other]\ns3 = not empty\n"
                                 "  endpoint_url = http://wrong\n[services twice]\ns3 =\n a = 1\ns3 =\n b = 2\n";
    const struct {
        struct ini_place place;
        const char *value;
    } rows[] = {
        {{INI_PROFILE, "default", "s3", "addressing_style"}, "path"},
        {{INI_PROFILE, "default", "s3", "signature_version"}, "s3v4"},
        {{INI_PROFILE, "default", "s3", "endpoint_url"}, NULL},
        {{INI_PROFILE, "default", "output", NULL}, "x"},
        {{INI_SERVICES, "lab", "s3", "endpoint_url"}, "http://s3:9000"},
        {{INI_SERVICES, "lab", "sts", "endpoint_url"}, "http://sts:9000"},
        {{INI_SERVICES, "lab", "s3", "sts"}, NULL},
        {{INI_SERVICES, "other", "s3", "endpoint_url"}, NULL},
        {{INI_PROFILE, "lab", "s3", "endpoint_url"}, NULL},
        {{INI_SERVICES, "twice", "s3", "a"}, NULL},
        {{INI_SERVICES, "twice", "s3", "b"}, "2"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_at(config, &rows[i].place, rows[i].value);
}

static void a_colon_parts_as_well_as_an_equals_sign(void **state)
{
    (void)state;
    assert_value("[a]\nx: 1\ny = 2:3\nz : u=v\n", "a", "x", "1");
    assert_value("[a]\nx: 1\ny = 2:3\nz : u=v\n", "a", "y", "2:3");
    assert_value("[a]\nx: 1\ny = 2:3\nz : u=v\n", "a", "z", "u=v");
}

static void nested_settings_belong_to_the_name_above(void **state)
{
    static const char config[] = "[default]\n"
                                 "region = eu-central-1\n"
                                 "s3 =\n"
                                 "    region = nested\n"
                                 "\t[other]\n"
                                 "output = text\n"
                                 "[other]\n"
                                 "  region = indented\n"
                                 "  output = json\n";

    (void)state;
    assert_value(config, "default", "region", "eu-central-1");
    assert_value(config, "default", "s3", "");
    assert_value(config, "default", "output", "text");
    assert_value(config, "other", "region", "indented");
    assert_value(config, "other", "output", "json");
}

static void what_comes_again_wins(void **state)
{
    static const char config[] = "[a]\nx = 1\ny = 1\n[b]\nx = 9\n[a]\nx = 2\n";

    (void)state;
    assert_value(config, "a", "x", "2");
    assert_value(config, "a", "y", "1");
}

static void windows_line_ends_and_marks_are_no_part_of_a_value(void **state)
{
    static const char config[] = "\xEF\xBB\xBF[default]\r\nregion = eu-west-1\r\n";

    (void)state;
    assert_value(config, "default", "region", "eu-west-1");
}

static void a_file_may_end_without_a_newline(void **state)
{
    (void)state;
    assert_value("[a]\nx = 1", "a", "x", "1");
    assert_value("[a]\nx =", "a", "x", "");
    assert_none("[a]\nx", "a", "x");
    assert_int_equal(ini_has_section("[a]", 3, INI_PLAIN, "a"), 0);
}

static void comments_are_no_settings(void **state)
{
    (void)state;
    assert_none("[a]\n#x = 1\n;x = 2\n  # x = 3\n", "a", "x");
    assert_none("#[a]\nx = 1\n", "a", "x");
    assert_value("[a] ; why\nx = 1\n", "a", "x", "1");
}

static void broken_lines_give_nothing_and_take_nothing(void **state)
{
    (void)state;
    assert_none("[a]\n[b\nx = 1\n", "a", "x"); /* whose x? */
    assert_none("[a]\n[b\nx = 1\n", "b", "x");
    assert_none("x = 1\n[a]\n", "a", "x");
    assert_value("[a]\nnonsense\n= 3\nx = 1\n", "a", "x", "1");
    assert_int_equal(ini_has_section("[a", 2, INI_PLAIN, "a"), -ENOENT);
    assert_int_equal(ini_has_section("", 0, INI_PLAIN, "a"), -ENOENT);
    assert_int_equal(ini_has_section(NULL, 0, INI_PLAIN, "a"), -ENOENT);
}

static void a_value_with_a_nul_is_not_cut_short_unseen(void **state)
{
    static const char config[] = "[a]\nsecret = ab\0cd\nx = 1\n";
    const struct ini_place secret = {INI_PLAIN, "a", "secret", NULL}, x = {INI_PLAIN, "a", "x", NULL};
    CLEANUP_FREE char *found = NULL;

    (void)state;
    assert_int_equal(get_of(config, sizeof(config) - 1, &secret, &found), -ENOENT);
    assert_int_equal(get_of(config, sizeof(config) - 1, &x, &found), 0);
    assert_string_equal(found, "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_in_its_section_only),
        cmocka_unit_test(a_secret_may_hold_what_looks_like_syntax),
        cmocka_unit_test(names_know_no_case_and_sections_do),
        cmocka_unit_test(a_config_file_says_profile_before_the_name),
        cmocka_unit_test(the_lines_below_a_name_have_names_of_their_own),
        cmocka_unit_test(a_colon_parts_as_well_as_an_equals_sign),
        cmocka_unit_test(nested_settings_belong_to_the_name_above),
        cmocka_unit_test(what_comes_again_wins),
        cmocka_unit_test(windows_line_ends_and_marks_are_no_part_of_a_value),
        cmocka_unit_test(a_file_may_end_without_a_newline),
        cmocka_unit_test(comments_are_no_settings),
        cmocka_unit_test(broken_lines_give_nothing_and_take_nothing),
        cmocka_unit_test(a_value_with_a_nul_is_not_cut_short_unseen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
