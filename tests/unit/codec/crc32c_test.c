/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C: the published values, and both ways of computing it against each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "codec/crc32c.h"

static void published_values(void **state)
{
    (void)state;
    unsigned char bytes[32];

    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(0, NULL, 0), 0);
    memset(bytes, 0, sizeof(bytes)); /* RFC 3720, B.4 */
    assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
    for (unsigned char i = 0; i < sizeof(bytes); i++)
        bytes[i] = i;
    assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x46dd794e);
}

static void the_instruction_and_the_table_agree_on_any_length_and_alignment(void **state)
{
    (void)state;
    unsigned char bytes[100];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t from = 0; from < 9; from++)
        for (size_t size = 0; from + size <= sizeof(bytes); size++)
            assert_int_equal(crc32c(7, bytes + from, size), crc32c_portable(7, bytes + from, size));
}

static void pieces_give_what_the_whole_gives(void **state)
{
    static const char check[] = "123456789";

    (void)state;
    for (size_t first = 0; first <= 9; first++)
        assert_int_equal(crc32c(crc32c(0, check, first), &check[first], 9 - first), 0xe3069283);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(the_instruction_and_the_table_agree_on_any_length_and_alignment),
        cmocka_unit_test(pieces_give_what_the_whole_gives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
