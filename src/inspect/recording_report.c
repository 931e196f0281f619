/* SPDX-License-Identifier: Apache-2.0
 *
 * Which JVM, and for how long; then what it did, the collector first.
 */
#include "inspect/recording_report.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "inspect/report_parts.h"

enum { JSON_ROWS_MAX = 1000, TIME_MAX = 32 };
#define SECOND_NS (1000ull * 1000 * 1000)

bool recording_probe(const void *data, size_t size)
{
    return size >= 4 && memcmp(data, "FLR", 4) == 0;
}

static const char *span(uint64_t ns, char out[TIME_MAX])
{
    if (ns >= SECOND_NS)
        snprintf(out, TIME_MAX, "%.2f s", (double)ns / 1e9);
    else
        snprintf(out, TIME_MAX, "%.1f ms", (double)ns / 1e6);
    return out;
}

static uint64_t duration(const struct jfr_recording *r)
{
    return r->end_ns - r->start_ns;
}

static double mean(const struct jfr_share *s, uint64_t count)
{
    return count ? s->sum / (double)count : 0;
}

static void head(const struct recording_view *v, const char *name, FILE *out)
{
    fprintf(out, "  %s%-11s%s", v->bold ? "\033[1m" : "", name, v->bold ? "\033[0m" : "");
}

static void print_text(const struct recording_view *v, const char *name, const char *text, FILE *out)
{
    if (!*text)
        return;
    head(v, name, out);
    report_put(out, text);
    fputs("\n", out);
}

static void print_begin(const struct jfr_recording *r, const struct recording_view *v, FILE *out)
{
    char time[CLOCK_TEXT_MAX], length[TEXT_DURATION_MAX];

    report_put(out, v->name);
    clock_format((int64_t)r->start_ns, time);
    fprintf(out, " · %.10s %.8sZ · %s · %" PRIu64 " events", time, time + 11,
            text_format_duration(duration(r) / SECOND_NS, length), r->events);
    if (r->chunks > 1)
        fprintf(out, " in %u chunks", r->chunks);
    if (*r->jvm) {
        fputs(" · ", out);
        report_put(out, r->jvm);
    }
    if (r->pid)
        fprintf(out, " · pid %" PRId64, r->pid);
    fputs("\n", out);
    if (r->cut)
        fprintf(out, "  The recording is not whole (%s): what there is, is shown.\n", r->cut);
    print_text(v, "VERSION", r->version, out);
    print_text(v, "COMMAND", r->command, out);
    print_text(v, "DUMPED", r->reason, out);
    print_text(v, "ENDED", r->shutdown, out);
}

static void print_collections(const struct jfr_recording *r, const struct recording_view *v, FILE *out)
{
    char all[TIME_MAX], longest[TIME_MAX], when[CLOCK_TEXT_MAX], last[TEXT_SIZE_MAX], most[TEXT_SIZE_MAX];

    if (r->collections == 0)
        return;
    head(v, "GC", out);
    fprintf(out, "%" PRIu64 " collections", r->collections);
    if (r->pauses)
        fprintf(out, ", %" PRIu64 " pauses", r->pauses);
    fprintf(out, ": %s in all", span(r->pause_ns, all));
    if (duration(r))
        fprintf(out, " (%.1f %%)", 100.0 * (double)r->pause_ns / (double)duration(r));
    clock_format((int64_t)r->longest_at_ns, when);
    fprintf(out, ", longest %s at %.8sZ\n", span(r->longest_ns, longest), when + 11);
    for (size_t i = 0; i < r->causes.count && i < v->top; i++) {
        fprintf(out, "             %" PRIu64 " × ", r->causes.row[i].count);
        report_put(out, r->causes.row[i].name);
        fprintf(out, ", %s\n", span(r->causes.row[i].weight, all));
    }
    if (r->heap_samples == 0)
        return;
    head(v, "HEAP", out);
    fprintf(out, "after collections at most %s, at last %s\n", text_format_size(r->heap_after_most, most),
            text_format_size(r->heap_after_last, last));
}

static void print_load(const struct jfr_recording *r, const struct recording_view *v, FILE *out)
{
    if (r->loads == 0)
        return;
    head(v, "CPU", out);
    fprintf(out, "the JVM %.0f %% of all processors, at most %.0f %%; the machine %.0f %%, at most %.0f %%\n",
            100 * mean(&r->jvm_load, r->loads), 100 * r->jvm_load.most, 100 * mean(&r->machine_load, r->loads),
            100 * r->machine_load.most);
}

/* By weight, where there is one. */
static void print_counts(const struct recording_view *v, const char *name, const struct jfr_counts *c, FILE *out)
{
    for (size_t i = 0; i < c->count && i < v->top; i++) {
        const struct jfr_count *row = &c->row[i];

        head(v, i == 0 ? name : "", out);
        fprintf(out, "%3u %%  ",
                c->weight ? report_percent(row->weight, c->weight) : report_percent(row->count, c->total));
        report_put(out, row->name);
        fprintf(out, " (%" PRIu64 ")\n", row->count);
    }
}

void recording_report_print(const struct jfr_recording *r, const struct recording_view *v, FILE *out)
{
    char bytes[TEXT_SIZE_MAX];

    print_begin(r, v, out);
    for (size_t i = 0; i < r->errors.count && i < v->top; i++) {
        head(v, i == 0 ? "ERRORS" : "", out);
        fprintf(out, "%" PRIu64 " × ", r->errors.row[i].count);
        report_put(out, r->errors.row[i].name);
        fputs("\n", out);
    }
    print_collections(r, v, out);
    print_load(r, v, out);
    print_counts(v, "OLD", &r->old_objects, out);
    if (r->allocated.weight) {
        head(v, "ALLOCATED", out);
        fprintf(out, "about %s\n", text_format_size(r->allocated.weight, bytes));
        print_counts(v, "", &r->allocated, out);
    }
    print_counts(v, "METHODS", &r->methods, out);
    if (r->lost_bytes) {
        head(v, "LOST", out);
        fprintf(out, "%s of events, which the JVM could not write\n", text_format_size(r->lost_bytes, bytes));
    }
}

/* --- JSON -----------------------------------------------------------------------------------------------------------
 */

static json_t *text(const char *t)
{
    return report_text(*t ? t : NULL);
}

static json_t *seconds(uint64_t ns)
{
    uint64_t us = ns / 1000;

    return json_real((double)us / 1e6);
}

static json_t *share(const struct jfr_share *s, uint64_t count)
{
    return json_pack("{sf sf}", "mean", mean(s, count), "most", s->most);
}

enum weight { WEIGHT_NONE, WEIGHT_BYTES, WEIGHT_SECONDS };

static json_t *rows(const struct jfr_counts *c, const char *name, enum weight weight)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->count && i < JSON_ROWS_MAX; i++) {
        json_t *row = json_pack("{so so}", name, text(c->row[i].name), "count", report_number(c->row[i].count));

        if (weight == WEIGHT_BYTES)
            json_object_set_new(row, "bytes", report_number(c->row[i].weight));
        else if (weight == WEIGHT_SECONDS)
            json_object_set_new(row, "pause_seconds", seconds(c->row[i].weight));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *collections(const struct jfr_recording *r)
{
    char when[CLOCK_TEXT_MAX];

    return json_pack("{so so so so so* so}", "count", report_number(r->collections), "pauses",
                     r->pauses ? report_number(r->pauses) : json_null(), "pause_seconds", seconds(r->pause_ns),
                     "longest_seconds", seconds(r->longest_ns), "longest_at",
                     r->longest_at_ns ? json_string(clock_format((int64_t)r->longest_at_ns, when)) : NULL, "causes",
                     rows(&r->causes, "cause", WEIGHT_SECONDS));
}

json_t *recording_report_json(const struct jfr_recording *r, const struct recording_view *v)
{
    char time[CLOCK_TEXT_MAX];
    json_t *root = json_pack(
        "{ss so so so si so so so so so so so so so}", "schema", "salvage.recording/1", "name", text(v->name), "time",
        json_string(clock_format((int64_t)r->start_ns, time)), "seconds", seconds(duration(r)), "chunks",
        (int)r->chunks, "events", report_number(r->events), "cut", text(r->cut ? r->cut : ""), "jvm", text(r->jvm),
        "version", text(r->version), "command", text(r->command), "options", text(r->options), "pid",
        r->pid ? json_integer(r->pid) : json_null(), "dumped", text(r->reason), "ended", text(r->shutdown));

    if (!root)
        return NULL;
    json_object_set_new(root, "collections", collections(r));
    if (r->heap_samples)
        json_object_set_new(root, "heap_after",
                            json_pack("{so so}", "most_bytes", report_number(r->heap_after_most), "last_bytes",
                                      report_number(r->heap_after_last)));
    if (r->loads)
        json_object_set_new(
            root, "cpu",
            json_pack("{so so}", "jvm", share(&r->jvm_load, r->loads), "machine", share(&r->machine_load, r->loads)));
    json_object_set_new(root, "errors", rows(&r->errors, "class", WEIGHT_NONE));
    json_object_set_new(root, "old_objects", rows(&r->old_objects, "class", WEIGHT_NONE));
    json_object_set_new(root, "allocated", rows(&r->allocated, "class", WEIGHT_BYTES));
    json_object_set_new(root, "methods", rows(&r->methods, "method", WEIGHT_NONE));
    json_object_set_new(root, "lost_bytes", report_number(r->lost_bytes));
    return root;
}
