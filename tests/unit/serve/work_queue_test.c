/* SPDX-License-Identifier: Apache-2.0
 *
 * Who comes next, and who may no longer wait.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "serve/work_queue.h"

enum { WORK_OF_ONE = 100, WORK_IN_ALL = 2000 };

static void add(struct work_queue *q, const char *id)
{
    assert_int_equal(work_queue_add(q, id, "key", false), 0);
}

static void expect(struct work_queue *q, const char *id)
{
    struct work w;

    assert_true(work_queue_take(q, &w));
    assert_string_equal(w.id, id);
    work_done(&w);
}

static void namespaces_take_turns(void **state)
{
    static const char *const order[] = {"shop/1", "pay/1", "bank/1", "shop/2", "pay/2", "shop/3"};
    struct work_queue q = {.of_one = WORK_OF_ONE, .most = WORK_IN_ALL};
    struct work none;

    (void)state;
    add(&q, "shop/1");
    add(&q, "shop/2");
    add(&q, "shop/3");
    add(&q, "pay/1");
    add(&q, "pay/2");
    add(&q, "bank/1");
    for (int i = 0; i < (int)ARRAY_SIZE(order); i++)
        assert_int_equal(work_queue_ahead(&q, order[i]), i);
    assert_int_equal(work_queue_ahead(&q, "shop/4"), -1);
    assert_int_equal(work_queue_ahead(&q, "other/1"), -1);
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        expect(&q, order[i]);
    assert_false(work_queue_take(&q, &none));
    work_queue_done(&q);
}

static void work_waits_once_and_not_without_end(void **state)
{
    struct work_queue q = {.of_one = WORK_OF_ONE, .most = WORK_IN_ALL};
    char id[32];

    (void)state;
    for (int i = 0; i < WORK_OF_ONE; i++) {
        snprintf(id, sizeof(id), "shop/%d", i);
        add(&q, id);
    }
    assert_int_equal(work_queue_add(&q, "shop/0", "key", true), -EALREADY);
    assert_int_equal(work_queue_add(&q, "shop/x", "key", true), -EBUSY);
    add(&q, "pay/1"); /* another's ceiling is not reached */
    expect(&q, "shop/0");
    expect(&q, "pay/1");
    add(&q, "shop/x");
    for (int i = WORK_OF_ONE; i < WORK_IN_ALL; i++) {
        snprintf(id, sizeof(id), "n%d/1", i);
        add(&q, id);
    }
    assert_int_equal(work_queue_add(&q, "late/1", "key", true), -EBUSY);
    work_queue_done(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(namespaces_take_turns),
        cmocka_unit_test(work_waits_once_and_not_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
