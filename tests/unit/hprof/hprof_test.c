/* SPDX-License-Identifier: Apache-2.0
 *
 * Heap dumps built byte by byte: whole ones, and every way in which one is not. Each dump is fed in one piece, byte by
 * byte and in two pieces cut anywhere: the walk must come to the same end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#include "hprof/hprof.h"

enum { UTF8 = 0x01, LOAD_CLASS = 0x02, HEAP_DUMP = 0x0C, SEGMENT = 0x1C, END = 0x2C };

struct dump {
    unsigned char byte[4096];
    size_t size;
};

static void put(struct dump *d, const void *data, size_t size)
{
    assert_true(size <= sizeof(d->byte) - d->size);
    memcpy(d->byte + d->size, data, size);
    d->size += size;
}

static void put_number(struct dump *d, uint64_t value, unsigned size)
{
    while (size-- > 0) {
        unsigned char c = (unsigned char)(value >> (8 * size));

        put(d, &c, 1);
    }
}

static struct dump header(const char *version, uint32_t id_size)
{
    struct dump d = {.size = 0};

    put(&d, "JAVA PROFILE 1.0.", 17);
    put(&d, version, strlen(version) + 1);
    put_number(&d, id_size, 4);
    put_number(&d, 1795226165000, 8);
    return d;
}

/* A record's head says length, and present bytes of its body follow. */
static void record(struct dump *d, unsigned char tag, uint32_t length, size_t present)
{
    put_number(d, tag, 1);
    put_number(d, 0, 4);
    put_number(d, length, 4);
    for (size_t i = 0; i < present; i++)
        put_number(d, 0xA0 + i, 1);
}

static struct dump whole(void)
{
    struct dump d = header("2", 8);

    record(&d, UTF8, 24, 24);
    record(&d, LOAD_CLASS, 24, 24);
    record(&d, SEGMENT, 300, 300);
    record(&d, SEGMENT, 1, 1);
    record(&d, END, 0, 0);
    return d;
}

static void feed(struct hprof *h, const struct dump *d, size_t cut)
{
    hprof_init(h);
    hprof_feed(h, d->byte, cut);
    hprof_feed(h, d->byte + cut, d->size - cut);
}

static void assert_same(const struct hprof *a, const struct hprof *b)
{
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->record_offset, b->record_offset);
    assert_int_equal(a->body_left, b->body_left);
    assert_int_equal(a->head_size, b->head_size);
    assert_int_equal(a->records, b->records);
    assert_int_equal(a->heap_segments, b->heap_segments);
    assert_int_equal(a->ended, b->ended);
    assert_int_equal(a->unpatched, b->unpatched);
    assert_ptr_equal(a->problem, b->problem);
}

/* Walks the dump in every way; its verdict must be this reason, or NULL. */
static struct hprof walk(const struct dump *d, const char *reason)
{
    struct hprof h, other;
    char out[128] = "";
    const char *partial;

    feed(&h, d, d->size);
    for (size_t cut = 0; cut < d->size; cut++) {
        feed(&other, d, cut);
        assert_same(&h, &other);
    }
    hprof_init(&other);
    for (size_t i = 0; i < d->size; i++)
        hprof_feed(&other, d->byte + i, 1);
    assert_same(&h, &other);

    partial = hprof_partial(&h, out, sizeof(out));
    if (reason) {
        assert_non_null(partial);
        assert_string_equal(partial, reason);
    } else {
        assert_null(partial);
    }
    return h;
}

static void a_whole_dump_in_segments_is_whole(void **state)
{
    struct dump d = whole();
    struct hprof h = walk(&d, NULL);

    (void)state;
    assert_int_equal(h.version_minor, 2);
    assert_int_equal(h.id_size, 8);
    assert_int_equal(h.time_ms, 1795226165000);
    assert_int_equal(h.records, 5);
    assert_int_equal(h.heap_segments, 2);
    assert_int_equal(h.offset, d.size);
    assert_true(h.ended);
}

static void every_cut_of_a_whole_dump_is_partial(void **state)
{
    struct dump d = whole();
    char out[128];

    (void)state;
    for (size_t size = 0; size < d.size; size++) {
        struct hprof h;

        hprof_init(&h);
        hprof_feed(&h, d.byte, size);
        assert_non_null(hprof_partial(&h, out, sizeof(out)));
    }
}

static void an_empty_file_is_empty(void **state)
{
    struct dump d = {.size = 0};

    (void)state;
    walk(&d, "is empty");
}

static void other_files_have_no_header(void **state)
{
    struct dump d = {.size = 0};

    (void)state;
    put(&d, "PK\3\4", 4);
    walk(&d, "no JAVA PROFILE header");
    put(&d, "and so on, for more bytes than a header has", 43);
    walk(&d, "no JAVA PROFILE header");
    d = header("3", 4); /* Android's */
    walk(&d, "no HEAP DUMP END record");
    d = header("4", 4);
    walk(&d, "no JAVA PROFILE header");
    d = header("22", 4);
    walk(&d, "no JAVA PROFILE header");
}

static void a_header_cut_short_is_told_from_none(void **state)
{
    struct dump d = header("2", 8);

    (void)state;
    d.size = 1;
    walk(&d, "ends inside the header (which needs 30 bytes more)");
    d.size = 30;
    walk(&d, "ends inside the header (which needs 1 bytes more)");
}

static void identifiers_are_of_4_or_8_bytes(void **state)
{
    struct dump d = header("2", 4);

    (void)state;
    assert_int_equal(walk(&d, "no HEAP DUMP END record").id_size, 4);
    d = header("2", 5);
    walk(&d, "an identifier size in the header that is neither 4 nor 8");
    d = header("2", 0x08000000);
    walk(&d, "an identifier size in the header that is neither 4 nor 8");
}

static void a_dump_cut_inside_a_body_says_where_and_how_much(void **state)
{
    struct dump d = header("2", 8);

    (void)state;
    record(&d, UTF8, 83, 83);
    record(&d, SEGMENT, 4570, 3);
    walk(&d, "ends inside a record at byte 123 (tag 0x1c needs 4567 bytes more)");
}

static void a_dump_cut_behind_a_records_head_is_partial(void **state)
{
    struct dump d = header("2", 8);

    (void)state;
    record(&d, SEGMENT, UINT32_MAX, 0);
    walk(&d, "ends inside a record at byte 31 (tag 0x1c needs 4294967295 bytes more)");
}

static void a_dump_cut_inside_a_records_head_says_so(void **state)
{
    struct dump d = header("2", 8);

    (void)state;
    record(&d, SEGMENT, 10, 10);
    record(&d, END, 0, 0);
    d.size -= 4;
    walk(&d, "ends inside a record at byte 50 (its head needs 4 bytes more)");
}

static void segments_want_an_end(void **state)
{
    struct dump d = whole();

    (void)state;
    d.size -= 9;
    walk(&d, "no HEAP DUMP END record");
    record(&d, END, 0, 0);
    record(&d, 0x0E, 6, 6); /* CONTROL SETTINGS: others may follow the end */
    walk(&d, NULL);
    record(&d, SEGMENT, 8, 8); /* a second dump in the file, cut between segments */
    walk(&d, "no HEAP DUMP END record");
    record(&d, END, 0, 0);
    walk(&d, NULL);
}

static void an_old_dump_has_one_record_and_no_end(void **state)
{
    struct dump d = header("1", 4);
    struct hprof h;

    (void)state;
    walk(&d, "no HEAP DUMP record");
    record(&d, UTF8, 9, 9);
    walk(&d, "no HEAP DUMP record");
    record(&d, HEAP_DUMP, 100, 100);
    h = walk(&d, NULL);
    assert_int_equal(h.version_minor, 1);
    assert_int_equal(h.heap_segments, 1);
    assert_false(h.ended);
    d.size--;
    walk(&d, "ends inside a record at byte 49 (tag 0x0c needs 1 bytes more)");
}

static void an_old_dump_whose_length_was_never_written_is_unpatched(void **state)
{
    struct dump d = header("1", 8);
    struct hprof h;

    (void)state;
    record(&d, UTF8, 9, 9);
    record(&d, HEAP_DUMP, 0, 0);
    h = walk(&d, "an empty HEAP DUMP record at byte 49");
    assert_false(h.unpatched);
    put_number(&d, 0x20, 1); /* a CLASS DUMP, the first of the records inside */
    h = walk(&d, "a heap dump record whose length was never filled in at byte 58");
    assert_true(h.unpatched);
    for (size_t i = 0; i < 1000; i++)
        put_number(&d, i, 1);
    h = walk(&d, "a heap dump record whose length was never filled in at byte 58");
    assert_int_equal(h.offset, d.size);
}

static void every_record_inside_a_heap_dump_shows_that_it_is_unpatched(void **state)
{
    static const unsigned char inside[] = {0xFF, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
                                           0x07, 0x08, 0x20, 0x21, 0x22, 0x23};

    (void)state;
    for (size_t i = 0; i < sizeof(inside); i++) {
        struct dump d = header("2", 8);

        record(&d, SEGMENT, 0, 0);
        put_number(&d, inside[i], 1);
        assert_true(walk(&d, "a heap dump record whose length was never filled in at byte 40").unpatched);
    }
}

static void an_empty_segment_before_another_or_the_end_is_fine(void **state)
{
    struct dump d = header("2", 8);

    (void)state;
    record(&d, SEGMENT, 20, 20);
    record(&d, SEGMENT, 0, 0);
    record(&d, SEGMENT, 0, 0);
    record(&d, SEGMENT, 20, 20);
    record(&d, SEGMENT, 0, 0);
    walk(&d, "no HEAP DUMP END record");
    record(&d, END, 0, 0);
    assert_int_equal(walk(&d, NULL).heap_segments, 2);
}

static void a_hole_of_zeros_is_no_record(void **state)
{
    struct dump d = whole();

    (void)state;
    put_number(&d, 0, 8);
    put_number(&d, 0, 8);
    walk(&d, "zeros in the place of a record at byte 425");
}

static void a_tag_of_a_jdk_to_come_is_passed_over(void **state)
{
    struct dump d = header("2", 8);

    (void)state;
    record(&d, 0x7E, 40, 40);
    record(&d, SEGMENT, 20, 20);
    record(&d, END, 0, 0);
    walk(&d, NULL);
}

/* A body in memory that can't be read: whoever looks at it dies. */
static void the_bytes_of_a_body_are_not_looked_at(void **state)
{
    void *body = mmap(NULL, UINT32_MAX, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct dump d = header("2", 8);
    struct hprof h;
    char out[128];

    (void)state;
    assert_ptr_not_equal(body, MAP_FAILED);
    record(&d, SEGMENT, UINT32_MAX, 0);
    hprof_init(&h);
    hprof_feed(&h, d.byte, d.size);
    hprof_feed(&h, body, UINT32_MAX);
    munmap(body, UINT32_MAX);
    assert_int_equal(h.state, HPROF_RECORD_HEAD);
    d.size = 0;
    record(&d, END, 0, 0);
    hprof_feed(&h, d.byte, d.size);
    assert_null(hprof_partial(&h, out, sizeof(out)));
    assert_int_equal(h.offset, 31 + 9 + (uint64_t)UINT32_MAX + 9);
}

static void the_walk_can_be_moved_behind_a_body(void **state)
{
    struct dump d = header("2", 8);
    struct hprof h;
    char out[128];

    (void)state;
    record(&d, SEGMENT, 1000, 0);
    hprof_init(&h);
    hprof_feed(&h, d.byte, d.size);
    assert_int_equal(h.body_left, 1000);
    h.offset += h.body_left; /* as ship/intake.c does when it resumes */
    h.body_left = 0;
    h.state = HPROF_RECORD_HEAD;
    d.size = 0;
    record(&d, END, 0, 0);
    hprof_feed(&h, d.byte, d.size);
    assert_null(hprof_partial(&h, out, sizeof(out)));
}

static void a_probe_takes_what_could_become_a_dump(void **state)
{
    (void)state;
    assert_true(hprof_probe("J", 1));
    assert_true(hprof_probe("JAVA PROFILE 1.0", 16));
    assert_true(hprof_probe("JAVA PROFILE 1.0.1\0\0\0\0\x04", 23));
    assert_true(hprof_probe("JAVA PROFILE 1.0.2", 19));
    assert_true(hprof_probe("JAVA PROFILE 1.0.3", 19));
    assert_false(hprof_probe("JAVA PROFILE 1.0.4", 19));
    assert_false(hprof_probe("JAVA PROFILE 1.0.2 ", 19));
    assert_false(hprof_probe("java", 4));
    assert_false(hprof_probe("", 0));
    assert_false(hprof_probe(NULL, 0));
}

static void a_reason_is_cut_to_the_room_it_has(void **state)
{
    struct hprof h;
    char out[6];

    (void)state;
    hprof_init(&h);
    assert_string_equal(hprof_partial(&h, out, sizeof(out)), "is em");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_dump_in_segments_is_whole),
        cmocka_unit_test(every_cut_of_a_whole_dump_is_partial),
        cmocka_unit_test(an_empty_file_is_empty),
        cmocka_unit_test(other_files_have_no_header),
        cmocka_unit_test(a_header_cut_short_is_told_from_none),
        cmocka_unit_test(identifiers_are_of_4_or_8_bytes),
        cmocka_unit_test(a_dump_cut_inside_a_body_says_where_and_how_much),
        cmocka_unit_test(a_dump_cut_behind_a_records_head_is_partial),
        cmocka_unit_test(a_dump_cut_inside_a_records_head_says_so),
        cmocka_unit_test(segments_want_an_end),
        cmocka_unit_test(an_old_dump_has_one_record_and_no_end),
        cmocka_unit_test(an_old_dump_whose_length_was_never_written_is_unpatched),
        cmocka_unit_test(every_record_inside_a_heap_dump_shows_that_it_is_unpatched),
        cmocka_unit_test(an_empty_segment_before_another_or_the_end_is_fine),
        cmocka_unit_test(a_hole_of_zeros_is_no_record),
        cmocka_unit_test(a_tag_of_a_jdk_to_come_is_passed_over),
        cmocka_unit_test(the_bytes_of_a_body_are_not_looked_at),
        cmocka_unit_test(the_walk_can_be_moved_behind_a_body),
        cmocka_unit_test(a_probe_takes_what_could_become_a_dump),
        cmocka_unit_test(a_reason_is_cut_to_the_room_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
