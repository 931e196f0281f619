/* SPDX-License-Identifier: Apache-2.0
 *
 * The set of ids, held against a plain array.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "watch/idset.h"

enum { IDS = 3000 };

/* Close together, so that they meet in the table. */
static void id_of(unsigned i, char out[17])
{
    snprintf(out, 17, "%02x%014x", (i * 4) & 0xff, i / 64);
}

static void what_was_added_is_there_until_removed(void **state)
{
    struct idset s = {0};
    bool in[IDS] = {false};
    char id[17];

    (void)state;
    for (unsigned round = 0; round < 4 * IDS; round++) {
        unsigned i = (round * 7919U) % IDS;

        id_of(i, id);
        if (round % 3 == 2) {
            idset_remove(&s, id);
            in[i] = false;
        } else {
            assert_int_equal(idset_add(&s, id), 0);
            in[i] = true;
        }
    }
    for (unsigned i = 0; i < IDS; i++) {
        id_of(i, id);
        assert_int_equal(idset_has(&s, id), in[i]);
    }
    idset_done(&s);
}

static void what_is_no_id_is_refused(void **state)
{
    struct idset s = {0};

    (void)state;
    assert_int_equal(idset_add(&s, "xyz"), -EINVAL);
    assert_false(idset_has(&s, "0123456789abcdef"));
    idset_remove(&s, "0123456789abcdef");
    idset_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_there_until_removed),
        cmocka_unit_test(what_is_no_id_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
