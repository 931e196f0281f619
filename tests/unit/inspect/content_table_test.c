/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts beyond a byte, probes that wrap around, a table that is full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inspect/content_table.h"

static struct big_memory memory = {.fd = -1};

static void counts_more_than_a_byte_can_say(void **state)
{
    struct content_table t;

    (void)state;
    assert_int_equal(content_table_init(&t, &memory, 10), 0);
    for (uint32_t i = 1; i <= 1000; i++) {
        assert_int_equal(content_table_add(&t, UINT64_C(0x1234567800000007)), i);
        assert_int_equal(content_table_add(&t, UINT64_C(0x8765432100000007)), i); /* begins in the same slot */
    }
    assert_int_equal(t.used, 2);
    content_table_done(&t);
    assert_int_equal(memory.used, 0);
}

static void probes_wrap_around(void **state)
{
    struct content_table t;

    (void)state;
    assert_int_equal(content_table_init(&t, &memory, 0), 0);
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(content_table_add(&t, i << 32 | UINT32_MAX), i == 1 ? 2 : 1); /* marks 0 and 1 are one */
    for (uint64_t i = 2; i < 20; i++)
        assert_int_equal(content_table_add(&t, i << 32 | UINT32_MAX), 2);
    content_table_done(&t);
}

static void a_table_counts_and_says_when_it_is_full(void **state)
{
    struct content_table t;

    (void)state;
    assert_int_equal(content_table_init(&t, &memory, 0), 0);
    for (uint64_t i = 0; i < t.most; i++)
        assert_int_equal(content_table_add(&t, (i + 1) << 32 | (i * 2654435761U & UINT32_MAX)), 1);
    assert_false(t.full);
    assert_int_equal(content_table_add(&t, UINT64_C(0xF000000000000000)), 0);
    assert_true(t.full);
    assert_int_equal(content_table_add(&t, UINT64_C(0x100000000)), 2); /* what is known is still counted */
    content_table_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_more_than_a_byte_can_say),
        cmocka_unit_test(probes_wrap_around),
        cmocka_unit_test(a_table_counts_and_says_when_it_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
