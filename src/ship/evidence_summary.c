/* SPDX-License-Identifier: Apache-2.0
 *
 * The table. A new kind: a function `int X_summary(const void *data, size_t size, struct summary *ret)` in the room
 * that parses it, and a row here.
 */
#include "ship/evidence_summary.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/core_text.h"
#include "hotspot/class_histogram.h"
#include "hprof/heap_snapshot.h"
#include "hprof/phd_summary.h"
#include "jfr/jfr_recording.h"
#include "ship/why.h"
#include "threads/hserr.h"
#include "threads/thread_summary.h"

enum { TEXT_MAX = 16 * 1024 * 1024, THREADS_TEXT_MAX = 64 * 1024 * 1024, SNAPSHOT_MAX = 256 * 1024 * 1024 };
enum { RECORDING_MAX = 1024 * 1024 * 1024, PHD_SIZE_MAX = 1024 * 1024 * 1024 };

static const struct row {
    const char *kind;
    enum content content; /* CONTENT_OTHER: any */
    size_t size_max;
    int (*summary)(const void *data, size_t size, struct summary *ret);
} ROWS[] = {
    {"core", CONTENT_CORE, SIZE_MAX, core_summary}, /* reads headers, notes and a stack of it */
    {"hs-err", CONTENT_HS_ERR, TEXT_MAX, hserr_summary},
    {"thread-dump", CONTENT_OTHER, THREADS_TEXT_MAX, thread_summary},
    {"javacore", CONTENT_JAVACORE, THREADS_TEXT_MAX, thread_summary},
    {"class-histogram", CONTENT_OTHER, TEXT_MAX, histogram_summary},
    {"heap-dump", CONTENT_PHD, PHD_SIZE_MAX, phd_summary},
    {"heap-snapshot", CONTENT_HEAP_SNAPSHOT, SNAPSHOT_MAX, heap_snapshot_summary},
    {"flight-recording", CONTENT_OTHER, RECORDING_MAX, jfr_summary},
    {"oom-kill", CONTENT_OTHER, TEXT_MAX, why_kill_summary},
};

static const struct row *find_row(const char *kind, enum content content)
{
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
        if (text_eq(ROWS[i].kind, kind) && (ROWS[i].content == content || ROWS[i].content == CONTENT_OTHER))
            return &ROWS[i];
    return NULL;
}

size_t evidence_summary_max(const char *kind, enum content content)
{
    const struct row *row = find_row(kind, content);

    return row ? row->size_max : 0;
}

bool evidence_summary_exists(const char *kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
        if (text_eq(ROWS[i].kind, kind))
            return true;
    return false;
}

static void make_printable(char *text, size_t size)
{
    char out[SUMMARY_SENTENCE_MAX];

    text[size - 1] = '\0';
    text_printable(text, out, size);
    memcpy(text, out, strlen(out) + 1);
}

void summary_make_printable(struct summary *s)
{
    make_printable(s->sentence, sizeof(s->sentence));
    if (s->top_count > SUMMARY_ROWS_MAX)
        s->top_count = SUMMARY_ROWS_MAX;
    for (unsigned i = 0; i < s->top_count; i++)
        make_printable(s->top[i].name, sizeof(s->top[i].name));
}

int evidence_summary(const char *kind, enum content content, const void *data, size_t size, struct summary *ret)
{
    const struct row *row = find_row(kind, content);
    struct summary s = {0};
    int r;

    assert(kind && (data || size == 0) && ret);
    if (!row)
        return -ENOENT;
    if ((r = row->summary(data, size, &s)) < 0)
        return r == -ENOMEM ? r : -EBADMSG; /* each parser has its own code for what it can't read */
    if (!*s.sentence && s.top_count == 0)
        return -EBADMSG;
    summary_make_printable(&s);
    *ret = s;
    return 0;
}
