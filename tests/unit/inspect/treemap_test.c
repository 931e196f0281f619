/* SPDX-License-Identifier: Apache-2.0
 *
 * Areas in proportion, inside the box, next to each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>

#include "inspect/treemap.h"

enum { MOST = 60 };

static const struct treemap_box BOX = {10, 20, 600, 400};

static bool overlap(const struct treemap_box *a, const struct treemap_box *b)
{
    const double e = 1e-6;

    return a->x + a->width > b->x + e && b->x + b->width > a->x + e && a->y + a->height > b->y + e &&
           b->y + b->height > a->y + e;
}

static void check(const uint64_t *weight, size_t count)
{
    struct treemap_box out[MOST];
    double total = 0;

    treemap_layout(weight, count, &BOX, out);
    for (size_t i = 0; i < count; i++)
        total += (double)weight[i];
    for (size_t i = 0; i < count; i++) {
        double area = BOX.width * BOX.height * (double)weight[i] / total;

        assert_true(fabs(out[i].width * out[i].height - area) < 1e-3 * BOX.width * BOX.height);
        assert_true(out[i].x > BOX.x - 1e-6 && out[i].x + out[i].width < BOX.x + BOX.width + 1e-6);
        assert_true(out[i].y > BOX.y - 1e-6 && out[i].y + out[i].height < BOX.y + BOX.height + 1e-6);
        for (size_t k = 0; k < i; k++)
            assert_false(overlap(&out[i], &out[k]));
    }
}

static void areas_are_in_proportion(void **state)
{
    uint64_t weight[MOST];

    (void)state;
    check((const uint64_t[]){6, 6, 4, 3, 2, 2, 1}, 7);
    check((const uint64_t[]){1}, 1);
    check((const uint64_t[]){UINT64_MAX, UINT64_MAX / 2, 1}, 3);
    for (unsigned seed = 1; seed < 200; seed++) {
        uint64_t left = (uint64_t)seed * 1000003;
        size_t count = 1 + seed % MOST;

        for (size_t i = 0; i < count; i++) {
            weight[i] = left + 1;
            left = left * (seed % 9 + 1) / 10;
        }
        check(weight, count);
    }
}

static void four_equal_weights_are_four_quarters(void **state)
{
    struct treemap_box out[4];

    (void)state;
    treemap_layout((const uint64_t[]){5, 5, 5, 5}, 4, &(struct treemap_box){0, 0, 100, 100}, out);
    for (int i = 0; i < 4; i++) {
        assert_true(fabs(out[i].width - 50) < 1e-9);
        assert_true(fabs(out[i].height - 50) < 1e-9);
    }
}

static void no_weight_has_no_area(void **state)
{
    struct treemap_box out[3];

    (void)state;
    treemap_layout((const uint64_t[]){0, 0}, 2, &BOX, out);
    assert_true(out[0].width == 0 && out[1].height == 0);
    treemap_layout((const uint64_t[]){3, 0, 0}, 3, &BOX, out);
    assert_true(out[0].width == BOX.width && out[1].width == 0);
    treemap_layout((const uint64_t[]){3}, 1, &(struct treemap_box){0, 0, 0, 5}, out);
    assert_true(out[0].width == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas_are_in_proportion),
        cmocka_unit_test(four_equal_weights_are_four_quarters),
        cmocka_unit_test(no_weight_has_no_area),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
