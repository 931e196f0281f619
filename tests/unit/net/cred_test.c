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
#include "net/store_settings.h"

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
                                        "AWS_DEFAULT_PROFILE",
                                        "AWS_SECURITY_TOKEN",
                                        "AWS_ENDPOINT_URL",
                                        "AWS_ENDPOINT_URL_S3",
                                        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                                        "AWS_USE_FIPS_ENDPOINT",
                                        "AWS_USE_DUALSTACK_ENDPOINT",
                                        "AWS_REQUEST_CHECKSUM_CALCULATION",
                                        "SSL_CERT_FILE",
                                        "SSL_CERT_DIR",
                                        "AWS_CA_BUNDLE",
                                        "CURL_CA_BUNDLE",
                                        "REQUESTS_CA_BUNDLE",
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
    write_file("credentials", "[default]\nregion = eu-west-1\n");
    assert_int_equal(CRED_PROFILE.get(&NO_OPTIONS, &c, &e), -ENOENT);
    setenv("AWS_PROFILE", "default", 1);
    check_fault("[default]", "aws_access_key_id");
}

static void keys_may_stand_in_the_config_file(void **state)
{
    (void)state;
    write_file("config", "[default]\naws_access_key_id = C\naws_secret_access_key = c\naws_security_token = t\n"
                         "[profile half]\naws_access_key_id = H\n[bare]\naws_access_key_id = B\n");
    check("C", "c", "t", "profile default");
    write_file("credentials", "[half]\naws_access_key_id = A\naws_secret_access_key = a\n");
    check("C", "c", "t", "profile default");
    setenv("AWS_DEFAULT_PROFILE", "half", 1);
    check("A", "a", NULL, "profile half");
    setenv("AWS_DEFAULT_PROFILE", "bare", 1);
    check_fault("'bare'", "must be [profile bare]");
}

static void a_profile_that_is_not_there_is_named_whatever_else_there_is(void **state)
{
    struct store_settings s = {0};
    struct err e = {0};
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "ENVKEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "envsecret", 1);
    setenv("AWS_PROFILE", "nobody", 1);
    assert_int_equal(aws_settings_get("s3", &s, &e), -FAULT_CREDENTIALS);
    assert_non_null(strstr(e.msg, "'nobody', which AWS_PROFILE names"));
}

static void a_role_that_cannot_be_taken_as_it_stands_is_said(void **state)
{
    static const struct {
        const char *profile, *word;
    } rows[] = {
        {"", "neither source_profile nor"},
        {"source_profile = base\ncredential_source = Environment\n", "both source_profile and"},
        {"source_profile = nobody\n", "no profile 'nobody'"},
        {"source_profile = default\n", "in a circle"},
        {"source_profile = loop\n", "in a circle"},
        {"source_profile = empty\n", "source_profile = empty"},
        {"source_profile = base\nmfa_serial = arn:aws:iam::1:mfa/me\n", "mfa_serial"},
        {"source_profile = base\nduration_seconds = long\n", "duration_seconds"},
        {"credential_source = Nowhere\n", "credential_source = Nowhere"},
        {"credential_source = Environment\n", "AWS_ACCESS_KEY_ID is not set"},
        {"credential_source = EcsContainer\n", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set"},
        {"credential_source = Ec2InstanceMetadata\n", "AWS_EC2_METADATA_DISABLED"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[1024];
        snprintf(text, sizeof(text),
                 "[default]\nrole_arn = arn:aws:iam::1:role/r\n%s[profile base]\naws_access_key_id = A\n"
                 "aws_secret_access_key = a\n[profile loop]\nrole_arn = x\nsource_profile = back\n[profile back]\n"
                 "role_arn = y\nsource_profile = loop\n[profile empty]\nregion = eu-west-1\n",
                 rows[i].profile);
        write_file("config", text);
        check_fault(rows[i].word, "role_arn");
    }
}

static void a_login_is_refused_with_the_way_out(void **state)
{
    (void)state;
    write_file("config", "[default]\nsso_session = my\nsso_account_id = 1\nsso_role_name = r\n");
    check_fault("sso", "export-credentials");
    write_file("config", "[default]\nsso_start_url = https://x\nsso_region = eu-west-1\nsso_role_name = r\n");
    check_fault("sso", "sso_role_name");
    write_file("config", "[default]\nlogin_session = arn:aws:iam::1:user/me\n");
    check_fault("login_session", "export-credentials");
}

/* credential_process: what the program says, and how it ends. */
static void a_program_hands_out_credentials(void **state)
{
    struct credentials c = {0};
    struct err e = {0};
    (void)state;
    write_file("config", "[default]\ncredential_process = /bin/echo '{\"Version\": 1, \"AccessKeyId\": \"P\", "
                         "\"SecretAccessKey\": \"p\", \"SessionToken\": \"t\", \"Expiration\": "
                         "\"2036-11-29T10:00:00+02:00\"}'\n");
    assert_int_equal(cred_get(CRED_AWS, &NO_OPTIONS, &c, &e), 0);
    assert_string_equal(c.access_key, "P");
    assert_string_equal(secret_expose(c.token), "t");
    assert_string_equal(c.source, "credential_process of profile default");
    assert_true(c.notable);
    assert_int_equal(c.expires_ns / 1000000000, 2111558400);
    cred_done(&c);
}

static void a_program_that_fails_is_quoted(void **state)
{
    static const struct {
        const char *command, *word;
    } rows[] = {
        {"sh -c 'echo no ticket: run kinit >&2; exit 3'", "exit code 3: no ticket: run kinit"},
        {"sh -c 'kill -9 $$'", "signal 9"},
        {"/no/such/program", "No such file"},
        {"'unfinished", "a quote is missing"},
        {"echo hello", "\"Version\": 1"},
        {"echo '{\"Version\": 2, \"AccessKeyId\": \"P\", \"SecretAccessKey\": \"p\"}'", "\"Version\": 1"},
        {"echo '{\"Version\": 1, \"AccessKeyId\": \"P\"}'", "SecretAccessKey"},
        {"head -c 300000 /dev/zero", "more than 256 KiB"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[512];
        snprintf(text, sizeof(text), "[default]\ncredential_process = %s\n", rows[i].command);
        write_file("config", text);
        check_fault("credential_process of profile 'default'", rows[i].word);
    }
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
    CLEANUP(store_settings_done) struct store_settings s = {0};
    struct err e = {0};
    assert_int_equal(aws_settings_get("s3", &s, &e), 0);
    if (expected)
        assert_string_equal(s.region, expected);
    else
        assert_null(s.region);
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

static void check_endpoint(const char *expected)
{
    CLEANUP(store_settings_done) struct store_settings s = {0};
    struct err e = {0};
    assert_int_equal(aws_settings_get("s3", &s, &e), 0);
    if (expected)
        assert_string_equal(s.endpoint, expected);
    else
        assert_null(s.endpoint);
}

static void an_endpoint_comes_from_the_nearest_place(void **state)
{
    (void)state;
    write_file("config", "[default]\nendpoint_url = http://all-config\n");
    check_endpoint("http://all-config");
    write_file("config", "[default]\nendpoint_url = http://all-config\nservices = lab\n[services lab]\ns3 =\n"
                         "  endpoint_url = http://s3-config\n");
    check_endpoint("http://s3-config");
    setenv("AWS_ENDPOINT_URL", "http://all-env", 1);
    check_endpoint("http://all-env");
    setenv("AWS_ENDPOINT_URL_S3", "http://s3-env", 1);
    check_endpoint("http://s3-env");
    setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    check_endpoint(NULL);
}

static void settings_that_make_no_sense_are_refused(void **state)
{
    static const char *const rows[][2] = {
        {"use_fips_endpoint = 1", "neither true nor false"},
        {"use_dualstack_endpoint = on", "neither true nor false"},
        {"ignore_configured_endpoint_urls = yes", "neither true nor false"},
        {"s3 =\n  addressing_style = dns", "auto, path or virtual"},
        {"s3 =\n  use_accelerate_endpoint = 1", "neither true nor false"},
        {"services = nowhere", "no [services nowhere]"},
        {"request_checksum_calculation = never", "when_required"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct store_settings s = {0};
        struct err e = {0};
        char text[256];
        snprintf(text, sizeof(text), "[default]\n%s\n", rows[i][0]);
        write_file("config", text);
        assert_int_equal(aws_settings_get("s3", &s, &e), -FAULT_USAGE);
        if (!strstr(e.msg, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], e.msg);
    }
}

static void settings_of_a_profile_are_read(void **state)
{
    CLEANUP(store_settings_done) struct store_settings s = {0};
    struct err e = {0};
    (void)state;
    write_file("config", "[profile x]\nuse_fips_endpoint = True\nca_bundle = /ca.pem\n"
                         "request_checksum_calculation = when_required\ns3 =\n  addressing_style = virtual\n"
                         "  use_dualstack_endpoint = true\n  max_bandwidth = 1MB/s\n  signature_version = s3\n");
    setenv("AWS_PROFILE", "x", 1);
    assert_int_equal(aws_settings_get("s3", &s, &e), 0);
    assert_true(s.fips && s.dualstack && s.no_checksums && !s.accelerate);
    assert_int_equal(s.style, STORE_STYLE_VIRTUAL);
    assert_string_equal(s.ca_file, "/ca.pem");
    assert_int_equal(s.notes.count, 2);
    assert_non_null(strstr(s.notes.item[0], "signature_version"));
    assert_non_null(strstr(s.notes.item[1], "max_bandwidth"));
    store_settings_done(&s);
    setenv("AWS_USE_FIPS_ENDPOINT", "false", 1);
    setenv("AWS_USE_DUALSTACK_ENDPOINT", "false", 1);
    setenv("AWS_CA_BUNDLE", "/other.pem", 1);
    assert_int_equal(aws_settings_get("s3", &s, &e), 0);
    assert_true(!s.fips && !s.dualstack && !s.ca_file);
}

static void what_names_two_profiles_or_no_file_is_noted(void **state)
{
    CLEANUP(store_settings_done) struct store_settings s = {0};
    struct err e = {0};
    (void)state;
    write_file("credentials", TWO_PROFILES);
    setenv("AWS_DEFAULT_PROFILE", "default", 1);
    setenv("AWS_PROFILE", "Team A", 1);
    setenv("AWS_CONFIG_FILE", "/no/such/config", 1);
    assert_int_equal(aws_settings_get("s3", &s, &e), 0);
    assert_int_equal(s.notes.count, 2);
    assert_non_null(strstr(s.notes.item[0], "AWS_DEFAULT_PROFILE=default counts"));
    assert_non_null(strstr(s.notes.item[1], "AWS_CONFIG_FILE=/no/such/config cannot be read"));
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
        cmocka_unit_test_setup_teardown(keys_may_stand_in_the_config_file, clean, sweep),
        cmocka_unit_test_setup_teardown(a_profile_that_is_not_there_is_named_whatever_else_there_is, clean, sweep),
        cmocka_unit_test_setup_teardown(a_role_that_cannot_be_taken_as_it_stands_is_said, clean, sweep),
        cmocka_unit_test_setup_teardown(a_login_is_refused_with_the_way_out, clean, sweep),
        cmocka_unit_test_setup_teardown(a_program_hands_out_credentials, clean, sweep),
        cmocka_unit_test_setup_teardown(a_program_that_fails_is_quoted, clean, sweep),
        cmocka_unit_test_setup_teardown(an_endpoint_comes_from_the_nearest_place, clean, sweep),
        cmocka_unit_test_setup_teardown(settings_that_make_no_sense_are_refused, clean, sweep),
        cmocka_unit_test_setup_teardown(settings_of_a_profile_are_read, clean, sweep),
        cmocka_unit_test_setup_teardown(what_names_two_profiles_or_no_file_is_noted, clean, sweep),
        cmocka_unit_test_setup_teardown(region_comes_from_the_environment_then_the_profile, clean, sweep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
