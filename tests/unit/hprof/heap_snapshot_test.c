/* SPDX-License-Identifier: Apache-2.0
 *
 * The largest constructors of a heap snapshot, named by the strings at its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "hprof/heap_snapshot.h"

#define META                                                                                                           \
    "{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\"],"                \
    "\"node_types\":[[\"hidden\",\"array\",\"string\",\"object\"],\"string\",\"number\",\"number\",\"number\"]},"      \
    "\"node_count\":4,\"edge_count\":0},\n"

static void constructors_with_most_bytes(void **state)
{
    static const char text[] = META "\"nodes\":[3,2,1,400,0\n,3,2,3,400,0\n,1,2,5,64,0\n,3,1,7,0,0],\n\"edges\":[],\n"
                                    "\"strings\":[\"<dummy>\",\n\"a \\\"quote\\\", ]\",\n\"Order\"]}";
    struct summary s = {0};

    (void)state;
    assert_int_equal(heap_snapshot_summary(text, sizeof(text) - 1, &s), 0);
    assert_string_equal(s.sentence, "864 B in 4 nodes; most: Order 800 B (2)");
    assert_int_equal(s.top_count, 2);
    assert_string_equal(s.top[1].name, "(array)");
    assert_int_equal(s.top[1].bytes, 64);
}

/* Names of several rows, one of them of a type without a constructor; the room is respected. */
static void all_rows_are_named(void **state)
{
    static const char text[] = META "\"nodes\":[3,2,1,400,0\n,3,0,3,300,0\n,1,2,5,64,0\n,3,1,7,8,0],\n\"edges\":[],\n"
                                    "\"strings\":[\"First\",\n\"Second\",\n\"Third\"]}";
    static const char *const names[] = {"Third", "First", "(array)", "Second"};
    struct summary_row row[8];
    struct heap_snapshot found;

    (void)state;
    assert_int_equal(heap_snapshot_read(text, sizeof(text) - 1, row, 8, &found), 0);
    assert_int_equal(found.count, 4);
    assert_int_equal(found.bytes, 772);
    for (unsigned i = 0; i < 4; i++)
        assert_string_equal(row[i].name, names[i]);
    assert_int_equal(heap_snapshot_read(text, sizeof(text) - 1, row, 2, &found), 0);
    assert_int_equal(found.count, 2);
}

static void a_cut_snapshot_names_types_alone(void **state)
{
    static const char text[] = META "\"nodes\":[3,2,1,400,0\n,3,2,3,40";
    struct summary s = {0};

    (void)state;
    assert_int_equal(heap_snapshot_summary(text, sizeof(text) - 1, &s), 0);
    assert_string_equal(s.top[0].name, "(object)");
    assert_int_equal(s.top[0].count, 1);
}

static void what_is_none(void **state)
{
    static const char *const texts[] = {"{}", META, META "\"nodes\":[]", "{\"snapshot\":{\"meta\":{}},\"nodes\":[1,2]"};
    struct summary s = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_int_equal(heap_snapshot_summary(texts[i], strlen(texts[i]), &s), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constructors_with_most_bytes),
        cmocka_unit_test(all_rows_are_named),
        cmocka_unit_test(a_cut_snapshot_names_types_alone),
        cmocka_unit_test(what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
