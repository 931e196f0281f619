/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames become parts of a store that the test plays: where they are cut, what the journal has of them, and what
 * happens when a part fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "scratch.h"
#include "ship/part_assembly.h"

enum { PART_SIZE = 10, SLACK = 8, BUFFERS = 3, PARTS_MAX = 16, OBJECT_MAX = 4096 };

/* The store's side. */
struct upload {
    struct upload_events events;
    unsigned char object[OBJECT_MAX];
    size_t size, part_size[PARTS_MAX];
    unsigned parts, last, in_flight, most_in_flight;
    struct part *held[BUFFERS];
    bool hold;         /* parts are confirmed only once all buffers are in flight, and the last one first */
    unsigned fails_at; /* number of the part that fails; 0: none */
};

static struct {
    struct upload upload;
    struct part_assembly *assembly;
    struct checkpoint *checkpoint;
    struct digest raw; /* of the file */
    uint64_t confirmed;
    struct err e;
} t;

static void confirm(struct upload *u, struct part *p)
{
    char etag[16];

    u->in_flight--;
    snprintf(etag, sizeof(etag), "etag-%u", p->number);
    u->events.done(u->events.ctx, p, etag);
}

static int write_part(struct upload *u, struct part *p, struct err *e)
{
    assert_true(u->parts < PARTS_MAX && u->size + p->size <= OBJECT_MAX && u->last == 0);
    if (p->number == u->fails_at) {
        u->events.done(u->events.ctx, p, NULL);
        return err_set(e, -FAULT_DENIED, "part %u is denied", p->number);
    }
    memcpy(u->object + u->size, p->data, p->size);
    u->size += p->size;
    u->part_size[u->parts++] = p->size;
    u->last = p->last ? p->number : 0;
    u->held[u->in_flight++] = p;
    if (u->in_flight > u->most_in_flight)
        u->most_in_flight = u->in_flight;
    if (u->hold && u->in_flight < BUFFERS && !p->last)
        return 0;
    while (u->in_flight > 0)
        confirm(u, u->held[u->in_flight - 1]);
    return 0;
}

static const struct sink_ops OPS = {.name = "test", .write = write_part};

static void on_confirmed(void *ctx, uint64_t bytes)
{
    (void)ctx;
    assert_true(bytes >= t.confirmed);
    __atomic_store_n(&t.confirmed, bytes, __ATOMIC_SEQ_CST);
}

static void start(const struct part_assembly_config *c)
{
    const struct part_assembly_listener listener = {.confirmed = on_confirmed};

    assert_int_equal(part_assembly_new(c, t.checkpoint, &t.assembly), 0);
    t.upload.events = part_assembly_events(t.assembly, &listener);
}

static void begin(void)
{
    start(&(struct part_assembly_config){
        .part_size = PART_SIZE, .slack = SLACK, .buffers = BUFFERS, .parts_max = PARTS_MAX});
    part_assembly_start(t.assembly, &OPS, &t.upload);
}

static int set_up(void **state)
{
    const struct journal_head head = {.store = (char *)"s", .key = (char *)"k", .codec = (char *)"zstd:1"};

    memset(&t, 0, sizeof(t));
    digest_init(&t.raw);
    if (scratch_set_up(state) < 0 || checkpoint_open(scratch_fd, &t.checkpoint, &t.e) < 0)
        return -1;
    checkpoint_begin(t.checkpoint, &head);
    return 0;
}

static int tear_down(void **state)
{
    part_assembly_free(t.assembly);
    checkpoint_close(t.checkpoint);
    return scratch_tear_down(state);
}

/* A frame of that text, which stands for twice as many bytes of the file. */
static int add(const char *text)
{
    size_t size = strlen(text);

    digest_update(&t.raw, text, size);
    digest_update(&t.raw, text, size);
    return part_assembly_add(t.assembly, &(struct encoded){text, size, 2 * size}, &t.raw, &t.e);
}

/* Adds six frames, more than there are buffers for. */
static void add_six(void)
{
    static const char *const frames[] = {"aaaaaa", "bbbbbb", "cccccc", "dddddd", "eeeeee", "ff"};

    for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
        assert_int_equal(add(frames[i]), 0);
}

static void assert_whole(void)
{
    struct whole whole;
    struct digest d;
    char hex[DIGEST_HEX_MAX];

    part_assembly_whole(t.assembly, &whole);
    digest_init(&d);
    digest_update(&d, t.upload.object, t.upload.size);
    digest_hex(&d, hex);
    assert_int_equal(whole.size, t.upload.size);
    assert_string_equal(whole.sha256, hex);
}

static void a_part_ends_with_the_frame_that_fills_it(void **state)
{
    (void)state;
    begin();
    add_six();
    assert_int_equal(part_assembly_finish(t.assembly, false, &t.e), 0);
    assert_int_equal(t.upload.parts, 3);
    assert_int_equal(t.upload.part_size[0], 12);
    assert_int_equal(t.upload.part_size[1], 12);
    assert_int_equal(t.upload.part_size[2], 8);
    assert_int_equal(t.upload.last, 3);
    assert_memory_equal(t.upload.object, "aaaaaabbbbbbccccccddddddeeeeeeff", 32);
    assert_int_equal(t.confirmed, 64);
    assert_whole();
}

static void a_small_object_is_one_part(void **state)
{
    (void)state;
    begin();
    assert_int_equal(add("x"), 0);
    assert_int_equal(part_assembly_finish(t.assembly, false, &t.e), 0);
    assert_int_equal(t.upload.parts, 1);
    assert_int_equal(t.upload.last, 1);
    assert_whole();
}

static void an_empty_object_is_one_empty_part(void **state)
{
    (void)state;
    begin();
    assert_int_equal(part_assembly_finish(t.assembly, false, &t.e), 0);
    assert_int_equal(t.upload.parts, 1);
    assert_int_equal(t.upload.last, 1);
    assert_int_equal(t.upload.size, 0);
    assert_whole();
}

static void the_table_of_frames_ends_the_object_and_may_need_parts_of_its_own(void **state)
{
    CLEANUP(frames_done) struct frames frames = {0};
    uint64_t table;

    (void)state;
    begin();
    add_six();
    assert_int_equal(part_assembly_finish(t.assembly, true, &t.e), 0);
    assert_int_equal(seektable_peek(t.upload.object + t.upload.size - SEEKTABLE_FOOTER_SIZE, &table), 0);
    assert_true(table > PART_SIZE + SLACK && table < t.upload.size);
    assert_int_equal(seektable_decode(t.upload.object + t.upload.size - table, table, &frames), 0);
    assert_int_equal(frames.count, 6);
    assert_int_equal(frames.frame[5].stored, 2);
    assert_int_equal(frames.frame[5].raw, 4);
    assert_true(t.upload.parts > 4);
    assert_int_equal(t.upload.last, t.upload.parts);
    assert_whole();
}

static void the_digest_of_a_plain_object_is_that_of_the_file(void **state)
{
    struct whole whole;
    char hex[DIGEST_HEX_MAX];

    (void)state;
    start(&(struct part_assembly_config){
        .part_size = PART_SIZE, .slack = SLACK, .buffers = BUFFERS, .parts_max = PARTS_MAX, .plain = true});
    part_assembly_start(t.assembly, &OPS, &t.upload);
    add_six();
    assert_int_equal(part_assembly_finish(t.assembly, false, &t.e), 0);
    part_assembly_whole(t.assembly, &whole);
    digest_hex(&t.raw, hex);
    assert_string_equal(whole.sha256, hex);
}

static void no_more_parts_are_in_flight_than_there_are_buffers(void **state)
{
    (void)state;
    t.upload.hold = true;
    begin();
    for (unsigned i = 0; i < 2; i++)
        add_six();
    assert_int_equal(part_assembly_finish(t.assembly, false, &t.e), 0);
    assert_int_equal(t.upload.size, 64);
    assert_int_equal(t.upload.most_in_flight, BUFFERS);
    assert_int_equal(t.confirmed, 128);
}

static void every_part_but_the_last_is_in_the_journal(void **state)
{
    CLEANUP(journal_done) struct journal j = {0};

    (void)state;
    begin();
    add_six();
    assert_int_equal(part_assembly_finish(t.assembly, false, &t.e), 0);
    assert_int_equal(checkpoint_load(t.checkpoint, &j), 0);
    assert_int_equal(j.count, 2);
    assert_string_equal(j.parts[1].etag, "etag-2");
    assert_int_equal(j.parts[1].number, 2);
    assert_int_equal(j.parts[1].stored_end, 24);
    assert_int_equal(j.parts[1].raw_end, 48);
    assert_int_equal(j.parts[1].frames.count, 2);
}

static void a_resume_goes_on_behind_the_parts_of_the_journal(void **state)
{
    CLEANUP(journal_done) struct journal j = {0};

    (void)state;
    begin();
    assert_int_equal(add("aaaaaa"), 0);
    assert_int_equal(add("bbbbbb"), 0);
    assert_int_equal(add("cc"), 0); /* it sends the first part, and is lost */
    while (__atomic_load_n(&t.confirmed, __ATOMIC_SEQ_CST) == 0)
        clock_sleep_ms(1);
    part_assembly_free(TAKE_PTR(t.assembly));
    assert_int_equal(checkpoint_load(t.checkpoint, &j), 0);
    assert_int_equal(j.count, 1);
    start(&(struct part_assembly_config){
        .part_size = PART_SIZE, .slack = SLACK, .buffers = BUFFERS, .parts_max = PARTS_MAX});
    assert_int_equal(part_assembly_resume(t.assembly, &j), 0);
    part_assembly_start(t.assembly, &OPS, &t.upload);
    assert_int_equal(add("dddd"), 0);
    assert_int_equal(part_assembly_finish(t.assembly, false, &t.e), 0);
    assert_int_equal(t.upload.last, 2);
    assert_memory_equal(t.upload.object, "aaaaaabbbbbbdddd", 16);
    assert_int_equal(t.confirmed, 32);
    assert_whole();
}

static void a_damaged_journal_is_not_resumed(void **state)
{
    struct journal_part part = {.number = 1, .size = 1, .stored_end = 1, .raw_end = 1, .etag = "e"};
    const struct journal j = {.parts = &part, .count = 1};

    (void)state;
    start(&(struct part_assembly_config){
        .part_size = PART_SIZE, .slack = SLACK, .buffers = BUFFERS, .parts_max = PARTS_MAX});
    assert_int_equal(part_assembly_resume(t.assembly, &j), -EBADMSG);
}

static void a_part_that_fails_ends_it_with_its_reason(void **state)
{
    int r = 0;

    (void)state;
    t.upload.fails_at = 2;
    begin();
    for (unsigned i = 0; i < 20 && r == 0; i++)
        r = add("aaaaaa");
    if (r == 0)
        r = part_assembly_finish(t.assembly, false, &t.e);
    assert_int_equal(r, -FAULT_DENIED);
    assert_string_equal(t.e.msg, "part 2 is denied");
    assert_int_equal(t.upload.parts, 1);
}

static void the_last_part_can_fail_too(void **state)
{
    (void)state;
    t.upload.fails_at = 1;
    begin();
    assert_int_equal(add("x"), 0);
    assert_int_equal(part_assembly_finish(t.assembly, false, &t.e), -FAULT_DENIED);
    assert_string_equal(t.e.msg, "part 1 is denied");
}

static void an_object_of_too_many_parts_is_refused(void **state)
{
    int r = 0;

    (void)state;
    start(&(struct part_assembly_config){.part_size = PART_SIZE, .slack = SLACK, .buffers = BUFFERS, .parts_max = 2});
    part_assembly_start(t.assembly, &OPS, &t.upload);
    for (unsigned i = 0; i < 10 && r == 0; i++)
        r = add("aaaaaa");
    assert_int_equal(r, -FAULT_USAGE);
    assert_non_null(strstr(t.e.msg, "--memory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_part_ends_with_the_frame_that_fills_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_small_object_is_one_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_object_is_one_empty_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_table_of_frames_ends_the_object_and_may_need_parts_of_its_own, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_digest_of_a_plain_object_is_that_of_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_more_parts_are_in_flight_than_there_are_buffers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_part_but_the_last_is_in_the_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_resume_goes_on_behind_the_parts_of_the_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_journal_is_not_resumed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_that_fails_ends_it_with_its_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_last_part_can_fail_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_of_too_many_parts_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
