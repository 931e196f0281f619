/* SPDX-License-Identifier: Apache-2.0
 *
 * The header Authorization.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "serve/credential.h"

static void assert_token(const char *header, const char *wanted)
{
    struct secret *token = NULL;

    if (credential_parse(header, &token) < 0)
        fail_msg("%s was refused", header);
    assert_string_equal(secret_expose(token), wanted);
    secret_free(token);
}

static void tokens_come_as_bearer_or_as_password(void **state)
{
    (void)state;
    assert_token("Bearer abc.def", "abc.def");
    assert_token("bearer  abc", "abc");
    assert_token("Basic eDphYmM=", "abc");       /* x:abc */
    assert_token("basic OmFiYw==", "abc");       /* :abc */
    assert_token("Basic eDphOmI6Yw==", "a:b:c"); /* x:a:b:c */
}

static void other_headers_are_refused(void **state)
{
    static const char *const HEADERS[] = {
        "",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a\tb",
        "Digest abc",
        "abc",
        "Basic ",
        "Basic eDph=",
        "Basic ####",
        "Basic eDphYmM",
        "Basic YWJj" /* no : */,
        "Basic eDo=" /* x: */,
        "Basic eDoA" /* x:\0 */,
        "Basic ====",
        "Basic =AAA",
    };
    char longer[CREDENTIAL_MAX + 32] = "Bearer ";

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(HEADERS); i++) {
        struct secret *token = NULL;

        if (credential_parse(HEADERS[i], &token) != -EINVAL)
            fail_msg("'%s' was not refused", HEADERS[i]);
        assert_null(token);
    }
    memset(longer + 7, 'a', sizeof(longer) - 8);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(credential_parse(longer, &(struct secret *){NULL}), -EINVAL);
    longer[7 + CREDENTIAL_MAX] = '\0';
    assert_token(longer, longer + 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_as_bearer_or_as_password),
        cmocka_unit_test(other_headers_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
