/* SPDX-License-Identifier: Apache-2.0
 *
 * A child gives its answer, fails with its own words, or dies, and its parent says which. This program executed anew is
 * the child, as salvage is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/sandboxed_process.h"

enum { LARGE = 3 * 1000 * 1000, SOON_MS = 60 * 1000, SHORT_MS = 300 };

static _Noreturn void be_child(const char *how)
{
    const struct sandbox limits = {.fd_room = 1, .refuses_paths = text_eq(how, "asks")};
    struct err e = {0};
    char text[16] = "";

    if (sandboxed_enter(&limits, 1, &e) < 0)
        _exit(3);
    if (text_eq(how, "answers")) {
        sandboxed_progress(1, 2);
        if (read(SANDBOXED_FIRST, text, 5) != 5 || getenv("HOME") || sandboxed_write(text, 5) < 0)
            _exit(4);
        for (int i = 0; i < LARGE; i += 10)
            sandboxed_write("0123456789", 10);
    } else if (text_eq(how, "fails")) {
        sandboxed_exit(-FAULT_FORMAT, &(struct err){.msg = "no\x1b[2Jdump"});
    } else if (text_eq(how, "lies")) {
        sandboxed_exit(-9999, &(struct err){.msg = "x"});
    } else if (text_eq(how, "crashes")) {
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
    } else if (text_eq(how, "opens")) {
        open("/etc/passwd", O_RDONLY);
    } else if (text_eq(how, "asks")) {
        int fd = sandboxed_file("/a/file");

        if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES) /* refused, and it lives */
            _exit(5);
        if (sandboxed_file("/no/file") != -ENOENT || read(fd, text, 5) != 5 || sandboxed_write(text, 5) < 0)
            _exit(6);
    } else if (text_eq(how, "ends")) {
        _exit(7);
    } else if (text_eq(how, "hangs")) {
        for (;;)
            poll(NULL, 0, -1);
    }
    sandboxed_exit(0, NULL);
}

struct wait {
    unsigned progress;
    bool stop;
};

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
    ((struct wait *)ctx)->progress += done == 1 && total == 2;
}

static bool stopped(void *ctx)
{
    return ((struct wait *)ctx)->stop;
}

static int on_file(void *ctx, const char *path)
{
    int pair[2];

    (void)ctx;
    if (!text_eq(path, "/a/file"))
        return -ENOENT;
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(write(pair[1], "asked", 5), 5);
    close(pair[1]);
    return pair[0];
}

static int ask(const char *how, struct wait *wait, struct buf *ret, struct err *e)
{
    char *const argv[] = {(char *)"salvage", (char *)how, NULL};
    struct sandboxed_process p = SANDBOXED_NONE;
    struct sandboxed_task t = {.argv = argv, .fd_count = 1, .deadline_ms = text_eq(how, "hangs") ? SHORT_MS : SOON_MS};
    int pair[2], r;

    assert_int_equal(pipe(pair), 0);
    assert_int_equal(write(pair[1], "hello", 5), 5);
    t.fds = &pair[0];
    t.stop = stopped;
    t.progress = on_progress;
    t.file = text_eq(how, "asks") ? on_file : NULL;
    t.ctx = wait;
    assert_int_equal(sandboxed_start(&t, &p, e), 0);
    r = sandboxed_collect(&p, &t, ret, e);
    assert_int_equal(p.pid, 0);
    assert_int_equal(p.answer, -1);
    close(pair[0]);
    close(pair[1]);
    return r;
}

static void its_answer_arrives_whole(void **state)
{
    struct buf answer = {0};
    struct wait wait = {0};
    struct err e;

    (void)state;
    assert_int_equal(ask("answers", &wait, &answer, &e), 0);
    assert_int_equal(answer.size, 5 + LARGE);
    assert_memory_equal(answer.data, "hello0123", 9);
    assert_int_equal(wait.progress, 1);
    buf_done(&answer);
}

static void a_file_that_it_asks_for_is_handed_to_it(void **state)
{
    CLEANUP(buf_done) struct buf answer = {.ceiling = SANDBOXED_ANSWER_MAX};
    struct wait wait = {0};
    struct err e;

    (void)state;
    assert_int_equal(ask("asks", &wait, &answer, &e), 0);
    assert_int_equal(answer.size, 5);
    assert_memory_equal(answer.data, "asked", 5);
}

static void an_answer_has_a_ceiling(void **state)
{
    struct buf answer = {.ceiling = LARGE / 2};
    struct wait wait = {0};
    struct err e;

    (void)state;
    assert_int_equal(ask("answers", &wait, &answer, &e), -FAULT_FORMAT);
    assert_non_null(strstr(e.msg, "larger"));
    buf_done(&answer);
}

static void every_end_has_its_words(void **state)
{
    static const struct {
        const char *how, *words;
        int code;
    } ENDS[] = {
        {"fails", "no?[2Jdump", -FAULT_FORMAT},
        {"lies", "x", -FAULT_FORMAT},
        {"crashes", "signal 11 (SEGV)", -FAULT_FORMAT},
        {"opens", "system call", -FAULT_FORMAT},
        {"ends", "status 7", -FAULT_FORMAT},
        {"hangs", "not done within", -ETIMEDOUT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ENDS) / sizeof(ENDS[0]); i++) {
        struct buf answer = {0};
        struct wait wait = {0};
        struct err e = {0};

        assert_int_equal(ask(ENDS[i].how, &wait, &answer, &e), ENDS[i].code);
        if (!strstr(e.msg, ENDS[i].words))
            fail_msg("%s: %s", ENDS[i].how, e.msg);
        buf_done(&answer);
    }
}

static void a_stop_ends_it(void **state)
{
    struct buf answer = {0};
    struct wait wait = {.stop = true};
    struct err e;

    (void)state;
    assert_int_equal(ask("hangs", &wait, &answer, &e), -ECANCELED);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_answer_arrives_whole), cmocka_unit_test(a_file_that_it_asks_for_is_handed_to_it),
        cmocka_unit_test(an_answer_has_a_ceiling),  cmocka_unit_test(every_end_has_its_words),
        cmocka_unit_test(a_stop_ends_it),
    };

    signal(SIGPIPE, SIG_IGN);
    if (argc > 1)
        be_child(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
