/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain of credential providers, from environments and files made for each test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/cred.h"

static char home[] = "/tmp/salvage-cred-XXXXXX";

static const char TWO_PROFILES[] = "[default]\naws_access_key_id = DEFAULTKEY\naws_secret_access_key = defaultsecret\n"
                                   "[Team A]\naws_access_key_id=TEAMKEY\r\naws_secret_access_key=team/secret+\r\n"
                                   "aws_session_token = teamtoken==\r\n";

static const struct http_options NO_OPTIONS = {0};

/* A test begins without any credentials around. */
static int clean(void **state)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_PROFILE",
                                        "AWS_REGION",
                                        "AWS_DEFAULT_REGION",
                                        "AWS_CONFIG_FILE",
                                        "AWS_SHARED_CREDENTIALS_FILE",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "OBS_ACCESS_KEY_ID",
                                        "OBS_SECRET_ACCESS_KEY",
                                        "OBS_SECURITY_TOKEN"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unsetenv(names[i]);
    snprintf(home, sizeof(home), "/tmp/salvage-cred-XXXXXX");
    if (!mkdtemp(home))
        return -1;
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    return setenv("HOME", home, 1);
}

static int sweep(void **state)
{
    (void)state;
    return file_remove_tree(AT_FDCWD, home);
}

static void write_file(const char *name, const char *data)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/.aws", home);
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    snprintf(path, sizeof(path), "%s/.aws/%s", home, name);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, data, strlen(data)), 0);
}

/* cred_get succeeds with these. */
static void check(const char *access_key, const char *secret_key, const char *token, const char *source)
{
    CLEANUP(cred_done) struct credentials c = {0};
    struct err e = {0};
    if (cred_get(CRED_AWS, &NO_OPTIONS, &c, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(c.access_key, access_key);
    assert_string_equal(secret_expose(c.secret_key), secret_key);
    if (token)
        assert_string_equal(secret_expose(c.token), token);
    else
        assert_null(c.token);
    assert_string_equal(c.source, source);
    assert_int_equal(c.expires_ns, 0);
}

/* It fails, with both words in the message, and leaves nothing. */
static void check_fault(const char *word, const char *other)
{
    struct credentials c = {0};
    struct err e = {0};
    assert_int_equal(cred_get(CRED_AWS, &NO_OPTIONS, &c, &e), -FAULT_CREDENTIALS);
    if (!strstr(e.msg, word) || !strstr(e.msg, other))
        fail_msg("%s", e.msg);
    assert_null(c.access_key);
    assert_null(c.secret_key);
    assert_null(c.token);
}

static void without_any_the_message_lists_where_was_looked(void **state)
{
    char path[256];
    (void)state;
    snprintf(path, sizeof(path), "%s/.aws/credentials", home);
    check_fault("AWS_ACCESS_KEY_ID is not set", path);
}

static void environment_comes_first(void **state)
{
    (void)state;
    write_file("credentials", TWO_PROFILES);
    setenv("AWS_ACCESS_KEY_ID", "ENVKEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "envsecret", 1);
    check("ENVKEY", "envsecret", NULL, "environment");
    setenv("AWS_SESSION_TOKEN", "envtoken", 1);
    check("ENVKEY", "envsecret", "envtoken", "environment");
}

static void an_empty_variable_is_an_unset_one(void **state)
{
    (void)state;
    write_file("credentials", TWO_PROFILES);
    setenv("AWS_ACCESS_KEY_ID", "", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "", 1);
    setenv("AWS_PROFILE", "", 1);
    check("DEFAULTKEY", "defaultsecret", NULL, "profile default");
}

static void half_a_pair_in_the_environment_is_a_fault_not_a_fall_through(void **state)
{
    (void)state;
    write_file("credentials", TWO_PROFILES);
    setenv("AWS_ACCESS_KEY_ID", "ENVKEY", 1);
    check_fault("AWS_ACCESS_KEY_ID is set", "AWS_SECRET_ACCESS_KEY is not");
    unsetenv("AWS_ACCESS_KEY_ID");
    setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
    check_fault("AWS_SECRET_ACCESS_KEY is set", "AWS_ACCESS_KEY_ID is not");
}

/* `echo secret | base64` in a Kubernetes secret brings a line end along. */
static void a_line_end_after_a_key_is_dropped(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "ENVKEY\n", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "envsecret\r\n", 1);
    setenv("AWS_SESSION_TOKEN", "\n", 1);
    check("ENVKEY", "envsecret", NULL, "environment");
}

static void a_key_with_anything_strange_in_it_is_a_fault_that_does_not_show_it(void **state)
{
    struct credentials c = {0};
    struct err e = {0};
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "ENVKEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hush hush", 1);
    assert_int_equal(cred_get(CRED_AWS, &NO_OPTIONS, &c, &e), -FAULT_CREDENTIALS);
    assert_non_null(strstr(e.msg, "secret key"));
    assert_null(strstr(e.msg, "hush"));
    setenv("AWS_SECRET_ACCESS_KEY", "h\xc3\xbcsh", 1);
    check_fault("secret key", "environment");
    setenv("AWS_SECRET_ACCESS_KEY", " \n", 1);
    check_fault("empty", "environment");
    setenv("AWS_SECRET_ACCESS_KEY", "fine", 1);
    setenv("AWS_SESSION_TOKEN", "a\nb", 1);
    check_fault("session token", "environment");
}

static void the_profile_asked_for_is_read_with_its_token(void **state)
{
    (void)state;
    write_file("credentials", TWO_PROFILES);
    check("DEFAULTKEY", "defaultsecret", NULL, "profile default");
    setenv("AWS_PROFILE", "Team A", 1);
    check("TEAMKEY", "team/secret+", "teamtoken==", "profile Team A");
}

static void a_profile_asked_for_that_is_not_there_is_a_fault(void **state)
{
    char path[256];
    (void)state;
    snprintf(path, sizeof(path), "%s/.aws/credentials", home);
    setenv("AWS_PROFILE", "nobody", 1);
    check_fault("nobody", path);
    write_file("credentials", TWO_PROFILES);
    check_fault("nobody", path);
    unsetenv("HOME");
    check_fault("HOME", "not set");
}

static void a_file_without_the_default_profile_is_not_ours(void **state)
{
    struct credentials c = {0};
    struct err e = {0};
    (void)state;
    write_file("credentials", "[other]\naws_access_key_id = A\naws_secret_access_key = S\n");
    assert_int_equal(CRED_PROFILE.get(&NO_OPTIONS, &c, &e), -ENOENT);
    write_file("credentials", "[default]\nrole_arn = arn:aws:iam::1:role/r\n");
    assert_int_equal(CRED_PROFILE.get(&NO_OPTIONS, &c, &e), -ENOENT);
    setenv("AWS_PROFILE", "default", 1);
    check_fault("[default]", "aws_access_key_id");
}

static void half_a_pair_in_a_profile_is_a_fault(void **state)
{
    (void)state;
    write_file("credentials", "[default]\naws_access_key_id = A\n");
    check_fault("[default]", "aws_secret_access_key");
    write_file("credentials", "[default]\naws_secret_access_key = hush\n");
    check_fault("[default]", "aws_access_key_id");
    write_file("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key =\n");
    check_fault(".aws/credentials", "empty");
}

static void another_file_can_be_named(void **state)
{
    char path[256];
    (void)state;
    write_file("mine", "[default]\naws_access_key_id = MINE\naws_secret_access_key = m\n");
    write_file("credentials", TWO_PROFILES);
    snprintf(path, sizeof(path), "%s/.aws/mine", home);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    check("MINE", "m", NULL, "profile default");
    setenv("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/mine", 1);
    check("MINE", "m", NULL, "profile default");
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/no/such/file", 1);
    check_fault("/no/such/file", "no file");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    setenv("AWS_SHARED_CREDENTIALS_FILE", home, 1); /* a folder */
    check_fault(home, "Is a directory");
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/zero", 1);
    check_fault("/dev/zero", "File too large");
}

static void check_region(const char *expected)
{
    CLEANUP_FREE char *region = NULL;
    int r = cred_region(&region);
    if (!expected) {
        assert_int_equal(r, -ENOENT);
        assert_null(region);
        return;
    }
    assert_int_equal(r, 0);
    assert_string_equal(region, expected);
}

static void region_comes_from_the_environment_then_the_profile(void **state)
{
    (void)state;
    check_region(NULL);
    write_file("config",
               "[default]\nregion = eu-west-1\n[profile Team A]\nregion=eu-north-1\n[profile none]\nregion =\n");
    check_region("eu-west-1");
    setenv("AWS_PROFILE", "Team A", 1);
    check_region("eu-north-1");
    setenv("AWS_PROFILE", "none", 1);
    check_region(NULL);
    setenv("AWS_DEFAULT_REGION", "us-west-2", 1);
    check_region("us-west-2");
    setenv("AWS_REGION", "us-east-2", 1);
    check_region("us-east-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_any_the_message_lists_where_was_looked, clean, sweep),
        cmocka_unit_test_setup_teardown(environment_comes_first, clean, sweep),
        cmocka_unit_test_setup_teardown(an_empty_variable_is_an_unset_one, clean, sweep),
        cmocka_unit_test_setup_teardown(half_a_pair_in_the_environment_is_a_fault_not_a_fall_through, clean, sweep),
        cmocka_unit_test_setup_teardown(a_line_end_after_a_key_is_dropped, clean, sweep),
        cmocka_unit_test_setup_teardown(a_key_with_anything_strange_in_it_is_a_fault_that_does_not_show_it, clean,
                                        sweep),
        cmocka_unit_test_setup_teardown(the_profile_asked_for_is_read_with_its_token, clean, sweep),
        cmocka_unit_test_setup_teardown(a_profile_asked_for_that_is_not_there_is_a_fault, clean, sweep),
        cmocka_unit_test_setup_teardown(a_file_without_the_default_profile_is_not_ours, clean, sweep),
        cmocka_unit_test_setup_teardown(half_a_pair_in_a_profile_is_a_fault, clean, sweep),
        cmocka_unit_test_setup_teardown(another_file_can_be_named, clean, sweep),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_named, clean, sweep),
        cmocka_unit_test_setup_teardown(region_comes_from_the_environment_then_the_profile, clean, sweep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
