/* SPDX-License-Identifier: Apache-2.0
 *
 * One event, one line, one write to stderr: `time=… level=info event=shipped key=… bytes=…` or the same as JSON.
 * What can be said is a table (events.h): docs/events.md is generated from it. Commands and the loop log; libraries
 * return a message (base/err.h).
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

/* Pairs that are not given are zero, and so LOG_PAIR_END. */
enum { LOG_PAIRS_MAX = 12 };
#define log_event(event, ...) log_write((event), (const struct log_pair[LOG_PAIRS_MAX + 1]){__VA_ARGS__})

/* For the whole process; the default is text. */
void log_set_format(enum log_format format);

/* Each event also goes to fd, as JSON, one write each: a pipe or socket, to which no write waits (what finds no
 * room is lost). -1: not any more. The descriptor stays the caller's. -errno if it is none. */
int log_set_copy(int fd);

/* Values are quoted as needed; a line is cut at 8 KiB. */
void log_write(enum event event, const struct log_pair *pairs);
