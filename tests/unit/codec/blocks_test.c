/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks come back in order and whole, whatever order they are finished in; really in parallel; and the ring can be
 * left at any moment. Fake codecs make the encoders slow, failing or curious.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "codec/blocks.h"

enum { BLOCK = 4096, PATIENCE_S = 20 };

/* A codec whose frames are the blocks, made by whatever `encode` does besides. */
static atomic_uint encoders; /* alive */

static int fake_new(int level, size_t block_size, void **ret)
{
    (void)level;
    (void)block_size;
    if (!(*ret = malloc(1)))
        return -ENOMEM;
    encoders++;
    return 0;
}

static int fake_new_no_memory(int level, size_t block_size, void **ret)
{
    return encoders == 2 ? -ENOMEM : fake_new(level, block_size, ret);
}

static void fake_free(void *encoder)
{
    free(encoder);
    encoders--;
}

static size_t fake_bound(size_t size)
{
    return size;
}

static size_t fake_memory(int level, size_t block_size)
{
    (void)level;
    return block_size * 10;
}

static ssize_t plain(void *encoder, const void *data, size_t size, void *out, size_t out_size)
{
    (void)encoder;
    if (size > out_size)
        return -EIO;
    memcpy(out, data, size);
    return (ssize_t)size;
}

static struct codec_ops fake(ssize_t (*encode)(void *, const void *, size_t, void *, size_t))
{
    return (struct codec_ops){.name = "fake",
                              .level_max = 1,
                              .encoder_new = fake_new,
                              .encode = encode,
                              .encoder_free = fake_free,
                              .bound = fake_bound,
                              .encoder_memory = fake_memory};
}

/* Block number i: some length; its number, then something like text. */
static size_t fill(unsigned char *out, unsigned i, size_t block_size)
{
    size_t size = 1 + ((size_t)i * 7919) % block_size;
    unsigned x = i;

    for (size_t at = 0; at < size; at++) {
        x = x * 1664525 + 1013904223;
        out[at] = (unsigned char)"a block's text"[(x >> 24) % 14];
    }
    memcpy(out, &i, size < sizeof(i) ? size : sizeof(i));
    return size;
}

static void check(const unsigned char *data, size_t size, unsigned i, size_t block_size)
{
    CLEANUP_FREE unsigned char *wanted = malloc(block_size);

    assert_int_equal(size, fill(wanted, i, block_size));
    assert_memory_equal(data, wanted, size);
}

/* The whole of count blocks through the ring; every frame is decoded and compared. */
static void pump(const struct codec *c, unsigned threads, size_t block_size, unsigned count)
{
    CLEANUP_FREE unsigned char *raw = malloc(block_size + 1);
    unsigned submitted = 0, taken = 0;
    struct blocks *b = NULL;
    void *slot;

    assert_int_equal(blocks_new(c, threads, block_size, &b), 0);
    while (taken < count) {
        struct encoded frame;

        for (; submitted < count && (slot = blocks_slot(b)); submitted++)
            blocks_submit(b, fill(slot, submitted, block_size));
        assert_int_equal(blocks_pending(b), submitted - taken);
        assert_int_equal(blocks_next(b, true, &frame), 1);
        if (c->ops->decode) {
            const void *data = frame.data;
            void *decoder = NULL;
            size_t size = frame.size;

            assert_int_equal(c->ops->decoder_new(&decoder), 0);
            assert_int_equal(c->ops->decode(decoder, &data, &size, raw, block_size + 1), frame.raw_size);
            assert_int_equal(c->ops->decoder_end(decoder), 0);
            c->ops->decoder_free(decoder);
            check(raw, frame.raw_size, taken, block_size);
        } else {
            check(frame.data, frame.size, taken, block_size);
        }
        blocks_release(b);
        taken++;
    }
    assert_int_equal(blocks_pending(b), 0);
    blocks_free(b);
}

static void frames_come_in_order_and_whole(void **state)
{
    static const struct codec codecs[] = {{&CODEC_NONE, 0}, {&CODEC_ZSTD, 1}, {&CODEC_GZIP, 1}};

    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(codecs); c++)
        for (unsigned threads = 1; threads <= 4; threads++) {
            pump(&codecs[c], threads, BLOCK, 100);
            pump(&codecs[c], threads, 100000, 20);
        }
    pump(&codecs[0], 1, 1, 10);
    pump(&codecs[1], 2, 1, 10);
}

/* The level with the most state, on a thread's small stack. */
static void the_highest_levels_fit_a_thread(void **state)
{
    (void)state;
    pump(&(struct codec){&CODEC_ZSTD, 19}, 2, 512 * 1024, 6);
    pump(&(struct codec){&CODEC_GZIP, 9}, 2, 512 * 1024, 6);
}

static ssize_t early_ones_last(void *encoder, const void *data, size_t size, void *out, size_t out_size)
{
    clock_sleep_ms(size % 4 == 0 ? 8 : size % 4);
    return plain(encoder, data, size, out, out_size);
}

static void order_holds_when_later_blocks_are_done_first(void **state)
{
    struct codec_ops ops = fake(early_ones_last);

    (void)state;
    pump(&(struct codec){&ops, 1}, 4, BLOCK, 100);
    assert_int_equal(encoders, 0);
}

static pthread_mutex_t meeting_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t meeting_cond = PTHREAD_COND_INITIALIZER;
static unsigned meeting_present, meeting_wanted;

/* Every encoder waits here for the others: one after the other would never get through. */
static ssize_t meet(void *encoder, const void *data, size_t size, void *out, size_t out_size)
{
    struct timespec until;
    bool met;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&meeting_lock);
    meeting_present++;
    pthread_cond_broadcast(&meeting_cond);
    while (meeting_present < meeting_wanted &&
           pthread_cond_timedwait(&meeting_cond, &meeting_lock, &until) != ETIMEDOUT)
        ;
    met = meeting_present >= meeting_wanted;
    pthread_mutex_unlock(&meeting_lock);
    return met ? plain(encoder, data, size, out, out_size) : -EIO;
}

static void blocks_are_encoded_at_the_same_time(void **state)
{
    struct codec_ops ops = fake(meet);

    (void)state;
    meeting_present = 0;
    meeting_wanted = 4;
    pump(&(struct codec){&ops, 1}, 4, BLOCK, 4);
}

/* The slots are threads + 4, in use from submit to release, and their memory is where it was. */
static void the_ring_has_four_slots_more_than_threads(void **state)
{
    struct codec_ops ops = fake(plain);
    struct codec c = {&ops, 1};
    struct encoded frame;
    struct blocks *b = NULL;
    void *first, *slot;

    (void)state;
    assert_int_equal(blocks_new(&c, 3, BLOCK, &b), 0);
    first = blocks_slot(b);
    assert_ptr_equal(blocks_slot(b), first); /* not submitted: still free */
    for (unsigned i = 0; i < 7; i++) {
        slot = blocks_slot(b);
        assert_non_null(slot);
        blocks_submit(b, fill(slot, i, BLOCK));
    }
    assert_null(blocks_slot(b));
    assert_int_equal(blocks_next(b, true, &frame), 1);
    assert_null(blocks_slot(b));
    assert_int_equal(blocks_next(b, false, &frame), 1); /* the same until released */
    check(frame.data, frame.size, 0, BLOCK);
    blocks_release(b);
    assert_ptr_equal(blocks_slot(b), first);
    assert_int_equal(blocks_pending(b), 6);
    blocks_free(b);
}

static void without_compression_the_raw_block_comes_back_at_once(void **state)
{
    struct codec c = {&CODEC_NONE, 0};

    (void)state;
    for (unsigned threads = 0; threads < 3; threads++) {
        struct encoded frame;
        struct blocks *b = NULL;
        void *slot;

        assert_int_equal(blocks_new(&c, threads, BLOCK, &b), 0);
        for (unsigned i = 0; i < 10; i++) {
            slot = blocks_slot(b);
            assert_non_null(slot);
            blocks_submit(b, fill(slot, i, BLOCK));
            assert_int_equal(blocks_next(b, false, &frame), 1);
            assert_ptr_equal(frame.data, slot);
            assert_int_equal(frame.size, frame.raw_size);
            check(frame.data, frame.size, i, BLOCK);
            blocks_release(b);
        }
        blocks_free(b);
    }
}

static pthread_t driver;
static atomic_uint by_driver;

static ssize_t count_drivers(void *encoder, const void *data, size_t size, void *out, size_t out_size)
{
    if (pthread_equal(pthread_self(), driver))
        by_driver++;
    else
        clock_sleep_ms(20);
    return plain(encoder, data, size, out, out_size);
}

static void the_driver_encodes_instead_of_waiting(void **state)
{
    struct codec_ops ops = fake(count_drivers);

    (void)state;
    driver = pthread_self();
    by_driver = 0;
    pump(&(struct codec){&ops, 1}, 2, BLOCK, 20);
    assert_true(by_driver > 0);
    by_driver = 0;
    pump(&(struct codec){&ops, 1}, 1, BLOCK, 4); /* a thread does */
    assert_int_equal(by_driver, 0);
}

static atomic_uint at_work, at_work_most;

static ssize_t count_at_work(void *encoder, const void *data, size_t size, void *out, size_t out_size)
{
    unsigned now = ++at_work;

    if (now > at_work_most)
        at_work_most = now;
    clock_sleep_ms(2);
    at_work--;
    return plain(encoder, data, size, out, out_size);
}

static void submit_and_take(struct blocks *b, unsigned count)
{
    struct encoded frame;

    for (unsigned i = 0; i < count; i++)
        blocks_submit(b, fill(blocks_slot(b), i, BLOCK));
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(blocks_next(b, true, &frame), 1);
        check(frame.data, frame.size, i, BLOCK);
        blocks_release(b);
    }
}

static void fewer_encode_at_a_time_while_they_are_limited(void **state)
{
    struct codec_ops ops = fake(count_at_work), meeting = fake(meet);
    struct blocks *b = NULL;

    (void)state;
    for (unsigned threads = 1; threads <= 3; threads++) {
        at_work_most = 0;
        assert_int_equal(blocks_new(&(struct codec){&ops, 1}, threads, BLOCK, &b), 0);
        blocks_limit(b, 1);
        submit_and_take(b, 5);
        assert_int_equal(at_work_most, 1);
        blocks_free(b);
    }
    meeting_present = 0;
    meeting_wanted = 3;
    assert_int_equal(blocks_new(&(struct codec){&meeting, 1}, 3, BLOCK, &b), 0);
    blocks_limit(b, 1);
    blocks_limit(b, 3);
    submit_and_take(b, 3);
    blocks_free(b);
}

static atomic_bool gate_open;

static ssize_t wait_at_gate(void *encoder, const void *data, size_t size, void *out, size_t out_size)
{
    while (!gate_open)
        clock_sleep_ms(1);
    return plain(encoder, data, size, out, out_size);
}

static void not_waiting_is_told_from_nothing_to_wait_for(void **state)
{
    struct codec_ops ops = fake(wait_at_gate);
    struct codec c = {&ops, 1};
    struct encoded frame = {.size = 77};
    struct blocks *b = NULL;

    (void)state;
    gate_open = false;
    assert_int_equal(blocks_new(&c, 2, BLOCK, &b), 0);
    assert_int_equal(blocks_next(b, true, &frame), 0); /* none under way: no use in waiting */
    blocks_submit(b, fill(blocks_slot(b), 0, BLOCK));
    assert_int_equal(blocks_next(b, false, &frame), 0);
    assert_int_equal(blocks_pending(b), 1);
    assert_int_equal(frame.size, 77);
    gate_open = true;
    assert_int_equal(blocks_next(b, true, &frame), 1);
    check(frame.data, frame.size, 0, BLOCK);
    blocks_release(b);
    assert_int_equal(blocks_next(b, true, &frame), 0);
    blocks_free(b);
}

static ssize_t fail_the_second(void *encoder, const void *data, size_t size, void *out, size_t out_size)
{
    unsigned number;

    memcpy(&number, data, sizeof(number));
    return number == 1 ? -EIO : plain(encoder, data, size, out, out_size);
}

static void an_encoders_error_comes_in_its_turn_and_stays(void **state)
{
    struct codec_ops ops = fake(fail_the_second);
    struct codec c = {&ops, 1};
    struct encoded frame;
    struct blocks *b = NULL;

    (void)state;
    assert_int_equal(blocks_new(&c, 2, BLOCK, &b), 0);
    for (unsigned i = 0; i < 3; i++)
        blocks_submit(b, fill(blocks_slot(b), i, BLOCK));
    assert_int_equal(blocks_next(b, true, &frame), 1);
    check(frame.data, frame.size, 0, BLOCK);
    blocks_release(b);
    assert_int_equal(blocks_next(b, true, &frame), -EIO);
    assert_int_equal(blocks_next(b, false, &frame), -EIO);
    assert_int_equal(blocks_pending(b), 2);
    blocks_free(b);
}

static void it_can_be_left_in_any_state(void **state)
{
    struct codec_ops ops = fake(early_ones_last);
    struct codec c = {&ops, 1};

    (void)state;
    blocks_free(NULL);
    for (unsigned submitted = 0; submitted <= 4; submitted++)
        for (unsigned taken = 0; taken <= submitted; taken++) {
            struct encoded frame;
            struct blocks *b = NULL;

            assert_int_equal(blocks_new(&c, 2, BLOCK, &b), 0);
            for (unsigned i = 0; i < submitted; i++)
                blocks_submit(b, fill(blocks_slot(b), i, BLOCK));
            for (unsigned i = 0; i < taken; i++) {
                assert_int_equal(blocks_next(b, true, &frame), 1);
                if (i + 1 < taken)
                    blocks_release(b);
            }
            blocks_slot(b);
            blocks_free(b);
            assert_int_equal(encoders, 0);
        }
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct codec zstd = {&CODEC_ZSTD, 1}, none = {&CODEC_NONE, 0};
    struct blocks *b = NULL;

    (void)state;
    assert_int_equal(blocks_new(&zstd, 0, BLOCK, &b), -EINVAL);
    assert_int_equal(blocks_new(&zstd, 100000, BLOCK, &b), -EINVAL);
    assert_int_equal(blocks_new(&zstd, 1, 0, &b), -EINVAL);
    assert_int_equal(blocks_new(&none, 1, 0, &b), -EINVAL);
    assert_int_equal(blocks_new(&zstd, 1, (size_t)1 << 31, &b), -EINVAL);
    assert_int_equal(blocks_new(&zstd, 1, SIZE_MAX, &b), -EINVAL);
    assert_int_equal(blocks_new(&(struct codec){&CODEC_ZSTD, 0}, 1, BLOCK, &b), -EINVAL);
    assert_int_equal(blocks_new(&(struct codec){&CODEC_ZSTD, 20}, 1, BLOCK, &b), -EINVAL);
    assert_null(b);
}

static void no_memory_for_an_encoder_leaves_nothing(void **state)
{
    struct codec_ops ops = fake(plain);
    struct blocks *b = NULL;

    (void)state;
    ops.encoder_new = fake_new_no_memory;
    assert_int_equal(blocks_new(&(struct codec){&ops, 1}, 4, BLOCK, &b), -ENOMEM);
    assert_null(b);
    assert_int_equal(encoders, 0);
}

static atomic_bool signal_open;

static ssize_t look_at_signals(void *encoder, const void *data, size_t size, void *out, size_t out_size)
{
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    if (pthread_equal(pthread_self(), driver))
        return plain(encoder, data, size, out, out_size);
    if (!sigismember(&mask, SIGTERM) || !sigismember(&mask, SIGINT) || !sigismember(&mask, SIGCHLD))
        signal_open = true;
    return plain(encoder, data, size, out, out_size);
}

static void signals_stay_with_the_driver(void **state)
{
    struct codec_ops ops = fake(look_at_signals);
    sigset_t before, after;

    (void)state;
    signal_open = false;
    driver = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    pump(&(struct codec){&ops, 1}, 3, BLOCK, 8);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_false(signal_open);
    assert_false(sigismember(&after, SIGTERM));
    assert_int_equal(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
}

static void memory_is_told_beforehand(void **state)
{
    struct codec_ops ops = fake(plain);
    struct codec c = {&ops, 1}, none = {&CODEC_NONE, 0};

    (void)state;
    /* 6 slots of two buffers, 2 encoders of ten blocks, and a stack: the driver has its own */
    assert_in_range(blocks_memory(&c, 2, BLOCK), 32 * BLOCK + 64 * 1024, 32 * BLOCK + 512 * 1024);
    assert_int_equal(blocks_memory(&none, 8, BLOCK), BLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_in_order_and_whole),
        cmocka_unit_test(the_highest_levels_fit_a_thread),
        cmocka_unit_test(order_holds_when_later_blocks_are_done_first),
        cmocka_unit_test(blocks_are_encoded_at_the_same_time),
        cmocka_unit_test(the_ring_has_four_slots_more_than_threads),
        cmocka_unit_test(the_driver_encodes_instead_of_waiting),
        cmocka_unit_test(fewer_encode_at_a_time_while_they_are_limited),
        cmocka_unit_test(without_compression_the_raw_block_comes_back_at_once),
        cmocka_unit_test(not_waiting_is_told_from_nothing_to_wait_for),
        cmocka_unit_test(an_encoders_error_comes_in_its_turn_and_stays),
        cmocka_unit_test(it_can_be_left_in_any_state),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(no_memory_for_an_encoder_leaves_nothing),
        cmocka_unit_test(signals_stay_with_the_driver),
        cmocka_unit_test(memory_is_told_beforehand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
