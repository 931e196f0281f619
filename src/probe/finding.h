/* SPDX-License-Identifier: Apache-2.0
 *
 * A finding is one line of `salvage check`. A group of checks runs in a process of its own, since names, file systems
 * and stores may block it for ever; its findings come over a pipe, each in one write.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "linux/report_child.h"

enum finding_result {
    FINDING_OK,
    FINDING_WARN,
    FINDING_FAIL,
    FINDING_STEP /* finding_step's; no finding */
};

enum { FINDING_NAME_MAX = 16, FINDING_TEXT_MAX = 1000, FINDING_REMEDY_MAX = 400 };

struct finding {
    enum finding_result result;
    char name[FINDING_NAME_MAX];
    char text[FINDING_TEXT_MAX];
    char remedy[FINDING_REMEDY_MAX]; /* "" where there is nothing to do */
};

extern const char *const FINDING_WORDS[]; /* "ok", "warn", "fail" */

/* Where the findings of one group go. */
struct findings {
    int to;
};

/* What is being asked now: the finding if the check does not answer in time. */
void finding_step(const struct findings *f, const char *name, const char *text);

/* remedy: may be NULL. Control characters are replaced. */
void finding_ok(const struct findings *f, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void finding_warn(const struct findings *f, const char *name, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void finding_fail(const struct findings *f, const char *name, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same, where the result is not known beforehand. */
struct finding_head {
    enum finding_result result;
    const char *name, *remedy;
};
void finding_add(const struct findings *f, const struct finding_head *head, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A group of checks: runs in a child. */
struct finding_group {
    void (*run)(const struct findings *f, const void *ctx);
    const void *ctx;
    struct report_child child;
    struct finding step; /* the last that was said */
};

/* 0 or -errno. */
int finding_start(struct finding_group *g);

/* The next finding of the group: 1; 0 at its end. A group that is silent until until_ms (monotonic) is ended, and its
 * last step becomes a finding that fails. */
int finding_next(struct finding_group *g, uint64_t until_ms, struct finding *ret);

/* Ends the process if it still runs. */
void finding_end(struct finding_group *g);
