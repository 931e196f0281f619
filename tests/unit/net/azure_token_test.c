/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of Microsoft's identity platform, and the end of a SAS.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "net/azure_token.h"

static int parse(const char *json, struct azure_token *ret)
{
    return azure_token_parse(json, strlen(json), ret);
}

static void both_forms_of_an_answer_are_read(void **state)
{
    CLEANUP(azure_token_done) struct azure_token a = {0}, b = {0};

    (void)state;
    assert_int_equal(parse("{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"eyJ0.x-_y\"}", &a), 0);
    assert_string_equal(a.text, "eyJ0.x-_y");
    assert_int_equal(a.expires_s, 3599);
    assert_int_equal(parse("{\"access_token\":\"t\",\"expires_in\":\"86399\"}", &b), 0);
    assert_int_equal(b.expires_s, 86399);
}

static void what_could_not_stand_in_a_header_is_no_token(void **state)
{
    CLEANUP(azure_token_done) struct azure_token t = {0};

    (void)state;
    assert_int_equal(parse("{\"access_token\":\"a\\r\\nHost: x\"}", &t), -EBADMSG);
    assert_int_equal(parse("{\"access_token\":\"\"}", &t), -EBADMSG);
    assert_int_equal(parse("{\"access_token\":1}", &t), -EBADMSG);
    assert_int_equal(parse("[]", &t), -EBADMSG);
    assert_null(t.text);
}

static void a_refusal_has_a_reason(void **state)
{
    char reason[AZURE_REASON_MAX];
    static const char long_form[] = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS70021: No\\nmatch\"}",
                      short_form[] = "{\"error\":\"invalid_request\"}";

    (void)state;
    assert_string_equal(azure_token_reason(long_form, strlen(long_form), reason), "AADSTS70021: No?match");
    assert_string_equal(azure_token_reason(short_form, strlen(short_form), reason), "invalid_request");
    assert_string_equal(azure_token_reason("<html>", 6, reason), "");
}

static void a_sas_says_when_it_ends(void **state)
{
    (void)state;
    assert_int_equal(azure_sas_end("sv=2020-10-02&se=2026-11-30T04%3A05%3A06Z&sig=x") / 1000000000, 1796011506);
    assert_int_equal(azure_sas_end("se=2026-11-30T04:05:06Z") / 1000000000, 1796011506);
    assert_int_equal(azure_sas_end("sv=1&sig=se%3D"), 0);
    assert_int_equal(azure_sas_end("se="), 0);
    assert_int_equal(azure_sas_end(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_of_an_answer_are_read),
        cmocka_unit_test(what_could_not_stand_in_a_header_is_no_token),
        cmocka_unit_test(a_refusal_has_a_reason),
        cmocka_unit_test(a_sas_says_when_it_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
