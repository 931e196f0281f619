/* SPDX-License-Identifier: Apache-2.0
 *
 * The sentence of a flight recording.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "jfr/jfr_recording.h"

enum { NAMES = 3, NAME_WIDTH = 48 };

#define SECOND_NS (1000ull * 1000 * 1000)

static void add_names(struct buf *b, const char *what, const struct jfr_counts *counts)
{
    for (size_t i = 0; i < counts->count && i < NAMES; i++)
        buf_printf(b, "%s%s%.*s (%" PRIu64 ")", i == 0 ? "; " : ", ", i == 0 ? what : "", NAME_WIDTH,
                   counts->row[i].name, counts->row[i].count);
}

static const char *seconds(uint64_t ns, char out[32])
{
    if (ns >= SECOND_NS)
        snprintf(out, 32, "%.1f s", (double)ns / 1e9);
    else
        snprintf(out, 32, "%.*f ms", ns < SECOND_NS / 100, (double)ns / 1e6);
    return out;
}

static void make_sentence(const struct jfr_recording *r, struct buf *b)
{
    char duration[TEXT_DURATION_MAX], all[32], longest[32];

    text_format_duration((r->end_ns - r->start_ns) / SECOND_NS, duration);
    buf_printf(b, "flight recording of %s", duration);
    if (*r->reason)
        buf_printf(b, " (%.24s)", r->reason);
    if (r->collections > 0)
        buf_printf(b, ": %" PRIu64 " GC pauses, %s in all, longest %s", r->pauses ? r->pauses : r->collections,
                   seconds(r->pause_ns, all), seconds(r->longest_ns, longest));
    add_names(b, "old objects sampled: ", &r->old_objects);
    if (*r->jvm)
        buf_printf(b, "; %.60s", r->jvm);
}

int jfr_summary(const void *data, size_t size, struct summary *ret)
{
    CLEANUP(buf_done) struct buf sentence = {.ceiling = SUMMARY_SENTENCE_MAX - 1}; /* what has no room is left out */
    struct jfr_recording r;
    struct err e;
    int result = jfr_recording_read(data, size, &r, &e);

    if (result < 0)
        return result == -ENOMEM ? -ENOMEM : -EBADMSG;
    make_sentence(&r, &sentence);
    jfr_recording_done(&r);
    *ret = (struct summary){0};
    snprintf(ret->sentence, sizeof(ret->sentence), "%s", buf_text(&sentence));
    return 0;
}
