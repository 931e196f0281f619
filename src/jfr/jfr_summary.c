/* SPDX-License-Identifier: Apache-2.0
 *
 * The sentence of a flight recording.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "jfr/jfr_recording.h"

enum { NAMES = 3, NAME_WIDTH = 48 };

struct sentence {
    char *text;
    size_t size, at;
};

static void add(struct sentence *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whole or not at all. */
static void add(struct sentence *s, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(s->text + s->at, s->size - s->at, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < s->size - s->at)
        s->at += (size_t)n;
    s->text[s->at] = '\0';
}

static void add_names(struct sentence *s, const char *what, const struct jfr_counts *counts)
{
    for (size_t i = 0; i < counts->count && i < NAMES; i++)
        add(s, "%s%s%.*s (%" PRIu64 ")", i == 0 ? "; " : ", ", i == 0 ? what : "", NAME_WIDTH, counts->row[i].name,
            counts->row[i].count);
}

static const char *seconds(uint64_t ns, char out[32])
{
    if (ns >= 1000 * 1000 * 1000)
        snprintf(out, 32, "%.1f s", (double)ns / 1e9);
    else
        snprintf(out, 32, "%.*f ms", ns < 10 * 1000 * 1000, (double)ns / 1e6);
    return out;
}

static void make_sentence(const struct jfr_recording *r, struct sentence *s)
{
    char duration[TEXT_DURATION_MAX], all[32], longest[32];

    text_format_duration((r->end_ns - r->start_ns) / (1000 * 1000 * 1000), duration);
    add(s, "flight recording of %s", duration);
    if (*r->reason)
        add(s, " (%.24s)", r->reason);
    if (r->collections > 0)
        add(s, ": %" PRIu64 " GC pauses, %s in all, longest %s", r->pauses ? r->pauses : r->collections,
            seconds(r->pause_ns, all), seconds(r->longest_ns, longest));
    add_names(s, "old objects sampled: ", &r->old_objects);
    if (*r->jvm)
        add(s, "; %.60s", r->jvm);
}

int jfr_summary(const void *data, size_t size, struct summary *ret)
{
    struct summary summary = {0};
    struct sentence s = {summary.sentence, sizeof(summary.sentence), 0};
    struct jfr_recording r;
    struct err e;
    int result = jfr_recording_read(data, size, &r, &e);

    if (result < 0)
        return result == -ENOMEM ? -ENOMEM : -EBADMSG;
    make_sentence(&r, &s);
    jfr_recording_done(&r);
    *ret = summary;
    return 0;
}
