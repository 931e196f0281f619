/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of a loop that owns processes: the test stands in for functions of the system and of lower rooms, and a
 * journal has what the loop did, in order. The linker does it (ld's --wrap, for each line of a test that begins with
 * STANDS_IN: CMakeLists.txt), so that the code under test has no seam, and what it calls meets the same clock and the
 * same fork. After cmocka.h.
 */
#pragma once

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

/* Declares the function that every call of NAME in the program under test comes to, and NAME itself by another name.
 * Both have the type that NAME's header says: a function that changed or went is an error here. */
#define STANDS_IN(function, name) __typeof__(name) function __asm__("__wrap_" #name)
#define REAL(function, name) __typeof__(name) function __asm__("__real_" #name)

enum { JOURNAL_MAX = 4096, DETAILS_MAX = 32 * 1024 };

static struct {
    uint64_t now_ms;
    char journal[JOURNAL_MAX]; /* "fork guard-case | kill:watch:15 ": events by their names; a '|' is a step */
    char details[DETAILS_MAX]; /* what the events said: "target=a why=memory>=80% " */
    int signal_writer;         /* the test's end of the signalfd; -1: none */
    pid_t ended;               /* the child that waitpid returns next; 0: none */
    int status;
} stand;

static inline void stand_set_up(void)
{
    memset(&stand, 0, sizeof(stand));
    stand.now_ms = UINT64_C(100) * 1000 * 1000;
    stand.signal_writer = -1;
}

static inline int stand_signalfd(void)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    stand.signal_writer = ends[1];
    return ends[0];
}

static inline pid_t stand_waitpid(int *status)
{
    pid_t ended = stand.ended;

    stand.ended = 0;
    *status = stand.status;
    return ended;
}

static inline void send_signal(int number)
{
    struct signalfd_siginfo info = {.ssi_signo = (uint32_t)number};

    assert_int_equal(file_write(stand.signal_writer, &info, sizeof(info)), 0);
}

static inline void end(pid_t pid, int status)
{
    assert_int_equal(stand.ended, 0);
    stand.ended = pid;
    stand.status = status;
    send_signal(SIGCHLD);
}

__attribute__((format(printf, 1, 2))) static inline void journal(const char *format, ...)
{
    size_t size = strlen(stand.journal);
    va_list args;

    va_start(args, format);
    vsnprintf(stand.journal + size, sizeof(stand.journal) - size, format, args);
    va_end(args);
    assert_true(strlen(stand.journal) < JOURNAL_MAX - 1);
}

static inline void assert_journal(const char *expected)
{
    assert_string_equal(stand.journal, expected);
}

static inline bool was_said(const char *words)
{
    return strstr(stand.details, words) != NULL;
}

STANDS_IN(stand_clock, clock_mono_ms);
uint64_t stand_clock(void)
{
    return stand.now_ms;
}

STANDS_IN(stand_log, log_write);
void stand_log(enum event event, const struct log_pair *pairs)
{
    journal("%s ", event_find(event)->name);
    for (; pairs->type != LOG_PAIR_END; pairs++) {
        char *at = stand.details + strlen(stand.details);
        size_t room = (size_t)(stand.details + DETAILS_MAX - at);

        if (pairs->type == LOG_PAIR_STR && pairs->value.str)
            snprintf(at, room, "%s=%s ", pairs->key, pairs->value.str);
        else if (pairs->type == LOG_PAIR_UINT)
            snprintf(at, room, "%s=%" PRIu64 " ", pairs->key, pairs->value.uint);
        else if (pairs->type == LOG_PAIR_BOOL)
            snprintf(at, room, "%s=%s ", pairs->key, pairs->value.boolean ? "true" : "false");
    }
}
