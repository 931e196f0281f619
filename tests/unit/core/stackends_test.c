/* SPDX-License-Identifier: Apache-2.0
 *
 * What was kept aside of the stacks goes over a later copy, wherever the copy's pieces begin and end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "core/stackends.h"

static void kept_bytes_go_over_a_copy(void **state)
{
    static const struct {
        uint64_t address;
        const char *text;
    } rows[] = {
        {1000, "...."}, /* before */
        {1004, "..AB"}, /* its end meets the first */
        {1006, "ABCD"}, /* within */
        {1008, "CD.."}, /* meets the end */
        {1010, "...."}, /* behind */
        {1018, "..xy"}, /* the other one */
    };
    struct stackend end[] = {{1006, 4, 0}, {1020, 2, 4}};
    char bytes[] = "ABCDxy";
    struct stackends kept = {.end = end, .count = ARRAY_SIZE(end), .bytes = bytes, .used = 6};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char copy[5] = "....";

        stackends_restore(&kept, rows[i].address, copy, 4);
        assert_string_equal(copy, rows[i].text);
    }
}

static void a_piece_smaller_than_what_was_kept_gets_its_part(void **state)
{
    struct stackend end[] = {{100, 6, 0}};
    char bytes[] = "ABCDEF", copy[3] = "..";
    struct stackends kept = {.end = end, .count = 1, .bytes = bytes, .used = 6};

    (void)state;
    stackends_restore(&kept, 102, copy, 2);
    assert_string_equal(copy, "CD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_bytes_go_over_a_copy),
        cmocka_unit_test(a_piece_smaller_than_what_was_kept_gets_its_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
