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
#include "format/ini.h"

/* A copy at the very end of its memory, so that a sanitizer sees a byte read too much. */
static int get_of(const char *text, size_t size, const char *section, const char *name, char **ret)
{
    CLEANUP_FREE char *data = malloc(size);

    assert_true(data || size == 0);
    if (size > 0)
        memcpy(data, text, size);
    return ini_get(data, size, section, name, ret);
}

static void assert_value(const char *text, const char *section, const char *name, const char *value)
{
    CLEANUP_FREE char *found = NULL;

    assert_int_equal(get_of(text, strlen(text), section, name, &found), 0);
    assert_string_equal(found, value);
}

static void assert_none(const char *text, const char *section, const char *name)
{
    char untouched, *found = &untouched;

    assert_int_equal(get_of(text, strlen(text), section, name, &found), -ENOENT);
    assert_ptr_equal(found, &untouched);
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
        "[profiledev]\nregion = wrong\n[sso-session sso]\nregion = wrong\n[profile]\nregion=p\n";

    (void)state;
    assert_value(config, "dev", "region", "eu-west-1");
    assert_value(config, "ops", "region", "eu-west-2");
    assert_value(config, "profile", "region", "p");
    assert_none(config, "sso", "region");
    assert_int_equal(ini_has_section(config, strlen(config), "dev"), 0);
    assert_int_equal(ini_has_section(config, strlen(config), "de"), -ENOENT);
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
    assert_int_equal(ini_has_section("[a]", 3, "a"), 0);
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
    assert_int_equal(ini_has_section("[a", 2, "a"), -ENOENT);
    assert_int_equal(ini_has_section("", 0, "a"), -ENOENT);
    assert_int_equal(ini_has_section(NULL, 0, "a"), -ENOENT);
}

static void a_value_with_a_nul_is_not_cut_short_unseen(void **state)
{
    static const char config[] = "[a]\nsecret = ab\0cd\nx = 1\n";
    CLEANUP_FREE char *found = NULL;

    (void)state;
    assert_int_equal(get_of(config, sizeof(config) - 1, "a", "secret", &found), -ENOENT);
    assert_int_equal(get_of(config, sizeof(config) - 1, "a", "x", &found), 0);
    assert_string_equal(found, "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_in_its_section_only),
        cmocka_unit_test(a_secret_may_hold_what_looks_like_syntax),
        cmocka_unit_test(names_know_no_case_and_sections_do),
        cmocka_unit_test(a_config_file_says_profile_before_the_name),
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
