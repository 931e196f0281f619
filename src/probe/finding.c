/* SPDX-License-Identifier: Apache-2.0
 *
 * A finding is smaller than PIPE_BUF, and so is written whole or not at all.
 */
#include "probe/finding.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

_Static_assert(sizeof(struct finding) <= PIPE_BUF, "a finding goes through a pipe in one write");

const char *const FINDING_WORDS[] = {"ok", "warn", "fail"};

static void write_finding(const struct findings *f, const struct finding *found)
{
    report_child_write(f->to, found, sizeof(*found));
}

void finding_step(const struct findings *f, const char *name, const char *text)
{
    struct finding found = {.result = FINDING_STEP};

    assert(name && text);
    snprintf(found.name, sizeof(found.name), "%s", name);
    snprintf(found.text, sizeof(found.text), "%s", text);
    write_finding(f, &found);
}

/* text: formatted. */
static void add(const struct findings *f, const struct finding_head *head, const char *text)
{
    struct finding found = {.result = head->result};

    assert(head->result != FINDING_STEP && head->name);
    snprintf(found.name, sizeof(found.name), "%s", head->name);
    text_printable(text, found.text, sizeof(found.text));
    text_printable(head->remedy ? head->remedy : "", found.remedy, sizeof(found.remedy));
    write_finding(f, &found);
}

/* Formats the text of a function with a variable number of arguments. */
#define FORMAT(text, format)                                                                                           \
    do {                                                                                                               \
        va_list args;                                                                                                  \
                                                                                                                       \
        va_start(args, format);                                                                                        \
        vsnprintf(text, sizeof(text), format, args);                                                                   \
        va_end(args);                                                                                                  \
    } while (0)

void finding_add(const struct findings *f, const struct finding_head *head, const char *format, ...)
{
    char text[FINDING_TEXT_MAX];

    FORMAT(text, format);
    add(f, head, text);
}

void finding_ok(const struct findings *f, const char *name, const char *format, ...)
{
    char text[FINDING_TEXT_MAX];

    FORMAT(text, format);
    add(f, &(struct finding_head){FINDING_OK, name, NULL}, text);
}

void finding_warn(const struct findings *f, const char *name, const char *remedy, const char *format, ...)
{
    char text[FINDING_TEXT_MAX];

    FORMAT(text, format);
    add(f, &(struct finding_head){FINDING_WARN, name, remedy}, text);
}

void finding_fail(const struct findings *f, const char *name, const char *remedy, const char *format, ...)
{
    char text[FINDING_TEXT_MAX];

    FORMAT(text, format);
    add(f, &(struct finding_head){FINDING_FAIL, name, remedy}, text);
}

static void run_group(int to, const void *ctx)
{
    const struct finding_group *g = ctx;

    g->run(&(struct findings){.to = to}, g->ctx);
}

int finding_start(struct finding_group *g)
{
    assert(g->run && g->child.pid <= 0);
    return report_child_start(&g->child, run_group, g);
}

static int ended(struct finding_group *g, const char *why, struct finding *ret)
{
    struct finding last = g->step;

    finding_end(g);
    if (!why || !*last.name)
        return 0;
    last.result = FINDING_FAIL;
    snprintf(last.text + strlen(last.text), sizeof(last.text) - strlen(last.text), "%s", why);
    *ret = last;
    return 1;
}

int finding_next(struct finding_group *g, uint64_t until_ms, struct finding *ret)
{
    struct finding found;
    int r;

    assert(g->run);
    while (g->child.pid > 0) {
        if ((r = report_child_read(&g->child, &found, sizeof(found), until_ms, -1)) <= 0)
            return ended(g,
                         r == 0            ? NULL
                         : r == -ETIMEDOUT ? ": no answer in time (--timeout)"
                                           : ": the check itself has failed",
                         ret);
        g->step = (struct finding){0};
        if (found.result != FINDING_STEP) {
            *ret = found;
            return 1;
        }
        g->step = found;
    }
    return 0;
}

void finding_end(struct finding_group *g)
{
    report_child_end(&g->child);
}
