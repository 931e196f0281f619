/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys as listings encode them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "store/s3/s3_browse.h"

static void check(const char *text, const char *key)
{
    char *decoded = s3_key_decode(text);

    assert_non_null(decoded);
    assert_string_equal(decoded, key);
    free(decoded);
}

static void spaces_come_as_plus_or_percent(void **state)
{
    (void)state;
    check("shop/cart+7/a%20b", "shop/cart 7/a b");
    check("+", " ");
    check("%2B", "+");
    check("%252B", "%2B");
    check("", "");
}

static void any_byte_can_be_in_a_key(void **state)
{
    (void)state;
    check("%C3%A4%0A%26%3C", "ä\n&<");
    check("100%", "100%"); /* malformed: kept */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spaces_come_as_plus_or_percent),
        cmocka_unit_test(any_byte_can_be_in_a_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
