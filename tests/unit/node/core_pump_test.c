/* SPDX-License-Identifier: Apache-2.0
 *
 * A core on its way through pipes: whole, cut, copied.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "node/core_pump.h"

enum { SIZE = 5 * 1024 * 1024 + 123 };

static unsigned char sent[SIZE], got[SIZE], copied[SIZE];

struct writer {
    int fd;
    size_t size;
    bool stays; /* keeps its end open */
};

static void *write_all(void *arg)
{
    struct writer *w = arg;

    file_write(w->fd, sent, w->size);
    if (!w->stays)
        close(w->fd);
    return NULL;
}

struct reader {
    int fd;
    ssize_t size;
};

static void *read_copy(void *arg)
{
    struct reader *r = arg;

    r->size = file_read(r->fd, copied, SIZE);
    close(r->fd);
    return NULL;
}

/* Returns what came out of the pump. */
static ssize_t run(struct core_pump *p, size_t size, bool stays, struct reader *copy)
{
    struct writer w = {.size = size, .stays = stays};
    pthread_t writing, reading;
    int in[2], other[2] = {-1, -1};
    struct err e = {0};
    ssize_t n;

    for (size_t i = 0; i < SIZE; i++)
        sent[i] = (unsigned char)(i * 31 >> 3);
    assert_int_equal(pipe(in), 0);
    w.fd = in[1];
    p->in = in[0];
    p->copy = -1;
    if (copy) {
        assert_int_equal(pipe(other), 0);
        copy->fd = other[0];
        p->copy = other[1];
        assert_int_equal(pthread_create(&reading, NULL, read_copy, copy), 0);
    }
    assert_int_equal(core_pump_start(p, &e), 0);
    assert_int_equal(pthread_create(&writing, NULL, write_all, &w), 0);
    n = file_read(p->out, got, SIZE);
    close(p->out);
    core_pump_join(p);
    pthread_join(writing, NULL);
    if (copy)
        pthread_join(reading, NULL);
    if (stays)
        close(in[1]);
    return n;
}

static void a_core_passes_whole_and_its_copy_is_the_same(void **state)
{
    struct core_pump p = {.size_max = UINT64_MAX, .until_ms = clock_mono_ms() + 60000};
    struct reader copy = {0};

    (void)state;
    assert_int_equal(run(&p, SIZE, false, NULL), SIZE);
    assert_memory_equal(got, sent, SIZE);
    assert_null(core_pump_partial(&p));
    p = (struct core_pump){.size_max = UINT64_MAX, .until_ms = clock_mono_ms() + 60000};
    memset(got, 0, SIZE);
    assert_int_equal(run(&p, SIZE, false, &copy), SIZE);
    assert_int_equal(copy.size, SIZE);
    assert_memory_equal(got, sent, SIZE);
    assert_memory_equal(copied, sent, SIZE);
}

static void it_is_cut_at_a_size_and_the_writer_is_released(void **state)
{
    struct core_pump p = {.size_max = 70000, .until_ms = clock_mono_ms() + 60000};

    (void)state;
    assert_int_equal(run(&p, SIZE, false, NULL), 70000);
    assert_memory_equal(got, sent, 70000);
    assert_non_null(strstr(core_pump_partial(&p), "--core-max"));
}

static void it_is_cut_at_a_time(void **state)
{
    struct core_pump p = {.size_max = UINT64_MAX, .until_ms = clock_mono_ms() + 300};

    (void)state;
    assert_int_equal(run(&p, 5000, true, NULL), 5000);
    assert_non_null(strstr(core_pump_partial(&p), "--hold"));
}

static void *read_little(void *arg)
{
    struct reader *r = arg;

    r->size = read(r->fd, copied, 1000);
    close(r->fd);
    return NULL;
}

static void a_second_reader_that_goes_costs_the_first_nothing(void **state)
{
    struct core_pump p = {.size_max = UINT64_MAX, .until_ms = clock_mono_ms() + 60000};
    struct writer w = {.size = SIZE};
    struct reader little = {0};
    pthread_t writing, reading;
    int in[2], other[2];
    struct err e = {0};

    (void)state;
    memset(got, 0, SIZE);
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(other), 0);
    w.fd = in[1];
    p.in = in[0];
    p.copy = other[1];
    little.fd = other[0];
    assert_int_equal(pthread_create(&reading, NULL, read_little, &little), 0);
    assert_int_equal(core_pump_start(&p, &e), 0);
    assert_int_equal(pthread_create(&writing, NULL, write_all, &w), 0);
    assert_int_equal(file_read(p.out, got, SIZE), SIZE);
    assert_memory_equal(got, sent, SIZE);
    close(p.out);
    core_pump_join(&p);
    pthread_join(writing, NULL);
    pthread_join(reading, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_passes_whole_and_its_copy_is_the_same),
        cmocka_unit_test(it_is_cut_at_a_size_and_the_writer_is_released),
        cmocka_unit_test(it_is_cut_at_a_time),
        cmocka_unit_test(a_second_reader_that_goes_costs_the_first_nothing),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
