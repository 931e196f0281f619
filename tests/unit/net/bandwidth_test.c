/* SPDX-License-Identifier: Apache-2.0
 *
 * Rates as people write them, and one limit for several processes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "net/bandwidth.h"

static uint64_t rate_of(const char *text)
{
    struct err e = {0};
    uint64_t rate = 1;
    int r = bandwidth_parse(text, &rate, &e);

    assert_true(r == 0 || (r == -FAULT_USAGE && rate == 1 && *e.msg));
    return r < 0 ? UINT64_MAX : rate;
}

static void rates_are_bytes_or_said_to_be_bits(void **state)
{
    (void)state;
    assert_int_equal(rate_of("20M"), 20 << 20);
    assert_int_equal(rate_of("20M/s"), 20 << 20);
    assert_int_equal(rate_of("1.5Mi"), 3 << 19);
    assert_int_equal(rate_of("100Mbit"), 12500000);
    assert_int_equal(rate_of("100mbit/s"), 12500000);
    assert_int_equal(rate_of("1Gbit"), 125000000);
    assert_int_equal(rate_of("none"), 0);
    assert_int_equal(rate_of("64K"), 65536);
}

static void other_texts_are_refused(void **state)
{
    static const char *const BAD[] = {
        "",        "fast",    "0",       "-1M",
        "20Mbps",  "1K",      "M",       "20M/h",
        "bit",     "nanMbit", "infMbit", "1e300Mbit",
        "20M 20M", "0Mbit",   "/s",      "1000000000000000000000000000000000000000000000000000000000000000"};

    (void)state;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        if (rate_of(BAD[i]) != UINT64_MAX)
            fail_msg("'%s' is a rate", BAD[i]);
}

static struct bandwidth *make(const char *text)
{
    struct bandwidth *b = NULL;
    struct err e = {0};

    assert_int_equal(bandwidth_new(&text, 1, &b, &e), 0);
    return b;
}

static void a_file_is_named_by_its_whole_path(void **state)
{
    const char *relative = "20M@here", *none = "none", *bad = "fast@/x";
    struct bandwidth *b = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(bandwidth_new(&relative, 1, &b, &e), -FAULT_USAGE);
    assert_int_equal(bandwidth_new(&bad, 1, &b, &e), -FAULT_USAGE);
    assert_int_equal(bandwidth_new(&none, 1, &b, &e), 0);
    assert_null(b);
    assert_int_equal(bandwidth_connections(NULL, 4), 4);
    b = make("1M@/nowhere/at/all");
    assert_int_equal(bandwidth_connections(b, 4), 1);
    assert_true(bandwidth_open(b, &e) < 0);
    assert_non_null(strstr(e.msg, "/nowhere/at/all"));
    assert_int_equal(bandwidth_open(b, &e), 0); /* once is enough */
    bandwidth_free(b);
}

/* A link could be another's file. */
static void a_link_is_not_followed(void **state)
{
    char dir[] = "/tmp/bandwidth-XXXXXX", text[80], link[60];
    struct bandwidth *b;
    struct err e = {0};

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(link, sizeof(link), "%s/link", dir);
    assert_int_equal(symlink("/tmp/salvage-not-here", link), 0);
    snprintf(text, sizeof(text), "1M@%s", link);
    b = make(text);
    assert_true(bandwidth_open(b, &e) < 0);
    bandwidth_free(b);
    unlink(link);
    rmdir(dir);
}

static _Noreturn void send_for_ever(const char *text, uint64_t *sent)
{
    struct bandwidth *b = make(text);
    struct bandwidth_sender s = {0};

    for (;;) {
        bandwidth_wait(b, &s, bandwidth_piece_of(b));
        *sent += bandwidth_piece_of(b);
    }
}

/* Each process opens the file by itself; one after the other is killed, and the last one goes on. */
static void processes_share_a_file_and_the_killed_leave_nothing_behind(void **state)
{
    enum { PROCESSES = 3, RATE = 4 << 20 };
    uint64_t *sent = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), begun_ms, total = 0,
             before;
    char file[] = "/tmp/bandwidth-XXXXXX", text[60];
    int fd = mkstemp(file);
    pid_t child[PROCESSES];

    (void)state;
    assert_true(fd >= 0 && sent != MAP_FAILED);
    snprintf(text, sizeof(text), "4M@%s", file);
    begun_ms = clock_mono_ms();
    for (unsigned i = 0; i < PROCESSES; i++)
        if ((child[i] = fork()) == 0)
            send_for_ever(text, &sent[i * 8]);
    clock_sleep_ms(600);
    for (unsigned i = 0; i + 1 < PROCESSES; i++) {
        kill(child[i], SIGKILL);
        waitpid(child[i], NULL, 0);
    }
    before = sent[(PROCESSES - 1) * 8];
    clock_sleep_ms(600);
    kill(child[PROCESSES - 1], SIGKILL);
    waitpid(child[PROCESSES - 1], NULL, 0);
    for (unsigned i = 0; i < PROCESSES; i++)
        total += sent[i * 8];
    assert_true(total <= (clock_mono_ms() - begun_ms + 120) * RATE / 1000);
    assert_true(sent[(PROCESSES - 1) * 8] > before + RATE / 4); /* 0.6 s alone; a busy machine is slow */
    close(fd);
    unlink(file);
    munmap(sent, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_bytes_or_said_to_be_bits),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(a_file_is_named_by_its_whole_path),
        cmocka_unit_test(a_link_is_not_followed),
        cmocka_unit_test(processes_share_a_file_and_the_killed_leave_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
