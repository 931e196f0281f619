/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream that is read ahead: as far as the memory goes, in order, and not beyond its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ship/stream_buffer.h"

enum { BLOCK = 128 * 1024, BLOCKS = 8, SOON_MS = 20000 };

struct writer {
    pthread_t thread;
    int fd;
    const unsigned char *data;
    size_t size;
    ssize_t result;
};

static void *write_all(void *arg)
{
    struct writer *w = arg;

    w->result = file_write(w->fd, w->data, w->size);
    close(w->fd);
    return NULL;
}

static struct stream_buffer *start(struct writer *w, const unsigned char *data, size_t size, int *ret_in)
{
    struct stream_buffer *b;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *w = (struct writer){.fd = ends[1], .data = data, .size = size};
    *ret_in = ends[0];
    assert_int_equal(stream_buffer_new(ends[0], BLOCK, (uint64_t)BLOCK * BLOCKS, &b), 0);
    assert_int_equal(pthread_create(&w->thread, NULL, write_all, w), 0);
    return b;
}

static ssize_t take(struct stream_buffer *b, const void **ret)
{
    ssize_t n;

    while ((n = stream_buffer_take(b, ret)) == -EAGAIN)
        stream_buffer_wait(b, SOON_MS);
    return n;
}

/* Runs of zeros that begin and end within blocks, and whole blocks of them. */
static unsigned char *made(size_t size)
{
    unsigned char *data = malloc(size);

    assert_non_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (unsigned char)(i * 31 >> 3 | 1);
    memset(data, 0, 5000);
    memset(data + BLOCK + 3 * BLOCK / 4, 0, BLOCK);
    memset(data + (size_t)5 * BLOCK, 0, (size_t)12 * BLOCK + 77);
    return data;
}

static void all_bytes_come_in_order_through_less_memory(void **state)
{
    enum { SIZE = 40 * BLOCK + 12345 };
    unsigned char *data = made(SIZE);
    struct writer w;
    int in;
    struct stream_buffer *b = start(&w, data, SIZE, &in);
    const void *block, *again;
    size_t at = 0;
    ssize_t n;

    (void)state;
    while ((n = take(b, &block)) > 0) {
        assert_int_equal(n, SIZE - at < BLOCK ? SIZE - at : BLOCK);
        assert_memory_equal(block, data + at, (size_t)n);
        at += (size_t)n;
        stream_buffer_release(b);
    }
    assert_int_equal(n, 0);
    assert_int_equal(at, SIZE);
    assert_int_equal(stream_buffer_peek(b, &again), 0);
    pthread_join(w.thread, NULL);
    assert_int_equal(w.result, 0);
    stream_buffer_free(b);
    close(in);
    free(data);
}

static void the_writer_is_done_before_a_block_is_taken(void **state)
{
    enum { SIZE = 7 * BLOCK + 1 };
    unsigned char *data = made((size_t)20 * BLOCK);
    struct writer w;
    int in;
    struct stream_buffer *b = start(&w, data, SIZE, &in);
    const void *block[8], *first;

    (void)state;
    pthread_join(w.thread, NULL);
    assert_int_equal(w.result, 0);
    assert_int_equal(take(b, &block[0]), BLOCK);
    for (int i = 1; i < 7; i++)
        assert_int_equal(take(b, &block[i]), BLOCK);
    assert_int_equal(take(b, &block[7]), 1);
    assert_int_equal(take(b, &first), 0);
    assert_false(stream_buffer_has_room(b));
    for (int i = 0; i < 7; i++)
        assert_memory_equal(block[i], data + (size_t)i * BLOCK, BLOCK);
    stream_buffer_free(b);
    close(in);
    free(data);
}

static void a_writer_is_not_let_ahead_of_the_memory(void **state)
{
    enum { SIZE = 40 * BLOCK };
    unsigned char *data = made(SIZE);
    struct writer w;
    int in;
    struct stream_buffer *b;
    const void *block;

    (void)state;
    memset(data, 1, SIZE);
    b = start(&w, data, SIZE, &in);
    for (int i = 0; i < BLOCKS; i++)
        assert_int_equal(take(b, &block), BLOCK); /* none is released */
    stream_buffer_wait(b, 50);
    assert_int_equal(stream_buffer_take(b, &block), -EAGAIN);
    stream_buffer_stop(b);
    assert_int_equal(stream_buffer_take(b, &block), -ECANCELED);
    close(in); /* the writer gets EPIPE */
    pthread_join(w.thread, NULL);
    assert_true(w.result < 0);
    stream_buffer_free(b);
    free(data);
}

static void a_silent_stream_can_be_stopped(void **state)
{
    struct stream_buffer *b;
    const void *block;
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(stream_buffer_new(ends[0], BLOCK, 0, &b), 0);
    stream_buffer_wait(b, 10);
    assert_int_equal(stream_buffer_peek(b, &block), -EAGAIN);
    assert_true(stream_buffer_has_room(b));
    stream_buffer_free(b);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_bytes_come_in_order_through_less_memory),
        cmocka_unit_test(the_writer_is_done_before_a_block_is_taken),
        cmocka_unit_test(a_writer_is_not_let_ahead_of_the_memory),
        cmocka_unit_test(a_silent_stream_can_be_stopped),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
