/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading ahead: the same bytes, failures behind what came before them, and an end at any time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "serve/read_ahead.h"

struct numbers {
    uint32_t next, end;
    int result; /* at the end */
    atomic_uint calls;
};

static ssize_t make(void *ctx, void *data, size_t size)
{
    struct numbers *n = ctx;
    size_t made = 0;

    n->calls++;
    for (; made + sizeof(n->next) <= size && n->next < n->end; made += sizeof(n->next), n->next++)
        memcpy((char *)data + made, &n->next, sizeof(n->next));
    return made > 0 ? (ssize_t)made : n->result;
}

static void assert_all_come(int result)
{
    struct numbers n = {.end = 700000, .result = result};
    struct read_ahead *a;
    unsigned char data[1000], held[4];
    uint32_t wanted = 0, got;
    size_t have = 0;
    ssize_t size;

    assert_int_equal(read_ahead_new(make, &n, &a), 0);
    while ((size = read_ahead_read(a, data, sizeof(data) - wanted % 7)) > 0)
        for (ssize_t i = 0; i < size; i++) {
            held[have++] = data[i];
            if (have == sizeof(held)) {
                memcpy(&got, held, sizeof(got));
                assert_int_equal(got, wanted++);
                have = 0;
            }
        }
    assert_int_equal(size, result);
    assert_int_equal(wanted, n.end);
    assert_int_equal(read_ahead_read(a, data, sizeof(data)), result);
    read_ahead_free(a);
}

static void all_bytes_come_in_order(void **state)
{
    (void)state;
    assert_all_come(0);
}

static void a_failure_comes_behind_what_was_read(void **state)
{
    (void)state;
    assert_all_come(-EBADMSG);
}

static void it_reads_no_further_than_its_blocks(void **state)
{
    struct numbers n = {.end = UINT32_MAX};
    struct read_ahead *a;

    (void)state;
    assert_int_equal(read_ahead_new(make, &n, &a), 0);
    for (int i = 0; i < 500 && n.calls < READ_AHEAD_BLOCKS; i++)
        clock_sleep_ms(10);
    clock_sleep_ms(20);
    assert_int_equal(n.calls, READ_AHEAD_BLOCKS);
    read_ahead_free(a); /* while it waits */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_bytes_come_in_order),
        cmocka_unit_test(a_failure_comes_behind_what_was_read),
        cmocka_unit_test(it_reads_no_further_than_its_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
