/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/secretenv.h"

static void what_is_salvages_alone(void **state)
{
    static const char *const secrets[] = {"SALVAGE_HTTP_PASSWORD=x",
                                          "SALVAGE_HTTP_USER=x",
                                          "SALVAGE_HTTP_TOKEN=x",
                                          "SALVAGE_CREDENTIALS_FILE=/run/x",
                                          "SALVAGE_HEADER=x-amz-server-side-encryption-customer-key: x",
                                          "SALVAGE_ENDPOINT=http://user:x@host:9000",
                                          "SALVAGE_TO=https://user@host/x"};
    static const char *const others[] = {"SALVAGE_TO=s3://bucket/a@b", "SALVAGE_KEY={pod}", "SALVAGE_LOG", "PATH=/bin",
                                         "SALVAGE_ENDPOINT=http://host/x@y"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
        assert_true(secretenv_is(secrets[i], SECRETENV_OWN));
        assert_true(secretenv_is(secrets[i], SECRETENV_ALL));
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(secretenv_is(others[i], SECRETENV_ALL));
}

static void what_an_application_may_have_for_itself(void **state)
{
    static const char *const secrets[] = {"AWS_ACCESS_KEY_ID=x",
                                          "AWS_SECRET_ACCESS_KEY=x",
                                          "AWS_SESSION_TOKEN=x",
                                          "AWS_SECURITY_TOKEN=x",
                                          "AWS_WEB_IDENTITY_TOKEN_FILE=/x",
                                          "AWS_SHARED_CREDENTIALS_FILE=/x",
                                          "AWS_CONFIG_FILE=/x",
                                          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x",
                                          "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://x",
                                          "AWS_CONTAINER_AUTHORIZATION_TOKEN=x",
                                          "AWS_ENDPOINT_URL_S3=https://user:x@host",
                                          "OBS_ACCESS_KEY_ID=x",
                                          "OBS_SECRET_ACCESS_KEY=x",
                                          "OBS_SECURITY_TOKEN=x",
                                          "https_proxy=http://user:x@proxy:3128",
                                          "ALL_PROXY=user:x@proxy"};
    static const char *const others[] = {"AWS_REGION=eu-west-1",  "AWS_ENDPOINT_URL=https://host",
                                         "OBS_REGION=x",          "http_proxy=http://proxy:3128",
                                         "no_proxy=a@b.example/", "TOKEN=of the user's"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
        assert_true(secretenv_is(secrets[i], SECRETENV_ALL));
        assert_false(secretenv_is(secrets[i], SECRETENV_OWN));
    }
    for (size_t i = 0; i < ARRAY_SIZE(others) - 2; i++)
        assert_false(secretenv_is(others[i], SECRETENV_ALL));
    assert_false(secretenv_is("TOKEN=of the user's", SECRETENV_ALL));
}

static void an_environment_without_them_but_for_what_is_asked_for(void **state)
{
    static char path[] = "PATH=/bin", key[] = "AWS_SECRET_ACCESS_KEY=x", token[] = "SALVAGE_HTTP_TOKEN=x",
                bare[] = "BARE";
    static char *const environment[] = {path, key, token, bare, NULL};
    static const char *const pass[] = {"AWS_*"};
    CLEANUP(strv_done) struct strv none = {0}, some = {0}, own = {0}, nothing = {0};

    (void)state;
    assert_int_equal(secretenv_without(environment, SECRETENV_ALL, NULL, 0, &none), 0);
    assert_int_equal(none.count, 2);
    assert_string_equal(none.item[0], path);
    assert_string_equal(none.item[1], bare);
    assert_int_equal(secretenv_without(environment, SECRETENV_ALL, pass, 1, &some), 0);
    assert_int_equal(some.count, 3);
    assert_string_equal(some.item[1], key);
    assert_int_equal(secretenv_without(environment, SECRETENV_OWN, NULL, 0, &own), 0);
    assert_int_equal(own.count, 3);
    assert_string_equal(own.item[1], key);
    assert_int_equal(secretenv_without(NULL, SECRETENV_ALL, NULL, 0, &nothing), 0);
    assert_int_equal(nothing.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_salvages_alone),
        cmocka_unit_test(what_an_application_may_have_for_itself),
        cmocka_unit_test(an_environment_without_them_but_for_what_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
