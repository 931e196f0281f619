/* SPDX-License-Identifier: Apache-2.0
 *
 * One event, one line, one write to stderr: `time=… level=info event=shipped key=… bytes=…` or the same as JSON. The
 * events are a table (events.h), from which docs/events.md is generated. Commands and loops log; libraries return a
 * message (base/err.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/events.h"

enum log_format { LOG_TEXT, LOG_JSON };
enum log_pair_type { LOG_PAIR_END, LOG_PAIR_STR, LOG_PAIR_UINT, LOG_PAIR_REAL, LOG_PAIR_BOOL };

struct log_pair {
    enum log_pair_type type;
    const char *key;
    union {
        const char *str; /* NULL: the pair is left out */
        uint64_t uint;
        double real;
        bool boolean;
    } value;
};

#define LOG_STR(k, v)                                                                                                  \
    {                                                                                                                  \
        .type = LOG_PAIR_STR, .key = (k), .value.str = (v)                                                             \
    }
#define LOG_UINT(k, v)                                                                                                 \
    {                                                                                                                  \
        .type = LOG_PAIR_UINT, .key = (k), .value.uint = (v)                                                           \
    }
#define LOG_REAL(k, v)                                                                                                 \
    {                                                                                                                  \
        .type = LOG_PAIR_REAL, .key = (k), .value.real = (v)                                                           \
    }
#define LOG_BOOL(k, v)                                                                                                 \
    {                                                                                                                  \
        .type = LOG_PAIR_BOOL, .key = (k), .value.boolean = (v)                                                        \
    }

/* Missing pairs are zero, which is LOG_PAIR_END. */
enum { LOG_PAIRS_MAX = 12 };
#define log_event(event, ...) log_write((event), (const struct log_pair[LOG_PAIRS_MAX + 1]){__VA_ARGS__})

/* For the whole process; the default is text. */
void log_set_format(enum log_format format);

/* Copies each event to fd as JSON, in one write: a pipe or socket, on which writes never wait (an event is lost if it
 * is full). -1: stop copying. The caller keeps the descriptor. -errno if it is not valid. */
int log_set_copy(int fd);

/* Values are quoted as needed; a line is cut at 8 KiB. */
void log_write(enum event event, const struct log_pair *pairs);
