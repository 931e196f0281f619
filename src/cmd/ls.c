/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage ls: the cases in a store, newest first. Reads manifests: an object without one is not whole, and not shown. A
 * manifest that can't be read becomes a row with the error. Holds only the rows that will be shown.
 */
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "ship/catalog.h"
#include "ship/manifest.h"
#include "ship/plan.h"

struct ls_options {
    struct plan_options plan;
    uint64_t limit;
    bool json;
};

static const struct opt LS_OPTIONS[] = {
    {OPT_HEADING, .name = "Listing"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct ls_options, json),
     "an array of manifests, each with its url; one that can't be read is its url and the error"},
    {OPT_UINT, 'n', "limit", "N", "100", offsetof(struct ls_options, limit), "the newest N; 0: all"},
    PLAN_OPTIONS_STORE(struct ls_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

enum { ROWS_BYTES = 256 * 1024 * 1024, SLACK_S = 24 * 3600, URL_TEXT_MAX = 8 * 1024 };

struct row {
    int64_t when_ns;
    char *text; /* the line, or the JSON object */
    char *key;
};

/* The newest `limit` rows so far. */
struct listing {
    const struct ls_options *options;
    const struct sink_config *config;
    char *const *places;
    struct row *row; /* with a limit: a heap, the oldest on top */
    size_t count, capacity, bytes;
    size_t readable;
    int unreadable; /* the error of the first one that could not be read */
    struct err err;
};

static void listing_done(struct listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->row[i].text);
        free(l->row[i].key);
    }
    free(l->row);
}

/* "namespace/pod", "ecs/cluster/family/task" or "host/NAME": the beginning of a key. */
static void place_of(const struct manifest *m, char *out, size_t size)
{
    if (m->where.place)
        snprintf(out, size, "%s", m->where.place);
    else if (m->where.pod) /* older manifests have no place */
        snprintf(out, size, "%s/%s", m->where.namespace ? m->where.namespace : "default", m->where.pod);
    else
        snprintf(out, size, "host/%s", m->where.host ? m->where.host : "unknown");
}

/* Whether `here` begins with one of the places; "shop/" is the whole namespace. */
static bool is_at(char *const *places, const char *here)
{
    char whole[700];

    snprintf(whole, sizeof(whole), "%.690s/", here);
    if (!*places)
        return true;
    for (; *places; places++)
        if (text_starts(whole, *places))
            return true;
    return false;
}

/* A manifest is foreign text, and may contain control sequences. */
static char *row_text(const struct sink_config *config, const struct manifest *m, int64_t when_ns)
{
    CLEANUP_FREE char *url = sink_object_url(config, m->key);
    char time[CLOCK_TEXT_MAX], here[600], what[60], size[TEXT_SIZE_MAX], stored[TEXT_SIZE_MAX];
    char place[600], cause[40], kind[60], object[2048], pause[PAUSE_TEXT_MAX], *row;

    clock_format(when_ns, time);
    place_of(m, here, sizeof(here));
    snprintf(what, sizeof(what), "%.40s%s", m->kind ? m->kind : "file", m->partial ? " (partial)" : "");
    return asprintf(&row, "%.10s %.8sZ  %-32s %-10s %-16s %9s %9s %8s  %s\n", time, time + 11,
                    text_printable(here, place, sizeof(place)),
                    text_printable(m->cause ? m->cause : "-", cause, sizeof(cause)),
                    text_printable(what, kind, sizeof(kind)), text_format_size(m->size, size),
                    text_format_size(m->stored_size, stored), pause_print(&m->pause, pause),
                    text_printable(url ? url : m->key, object, sizeof(object))) < 0
               ? NULL
               : row;
}

static char *row_json(const struct sink_config *config, const struct catalog_read *one)
{
    CLEANUP_FREE char *url = sink_object_url(config, one->manifest.key);
    json_auto_t *object = json_loadb(buf_text(&one->text), one->text.size, 0, NULL);

    if (!object || !url || json_object_set_new(object, "url", jsonout_text(url, URL_TEXT_MAX)) < 0)
        return NULL;
    return json_dumps(object, JSON_INDENT(2) | JSON_ENSURE_ASCII);
}

/* The row of a case whose manifest can't be read: from its key. */
static char *bad_text(const struct sink_config *config, const struct catalog_read *one)
{
    CLEANUP_FREE char *url = sink_object_url(config, one->entry->key);
    char time[CLOCK_TEXT_MAX] = "-", place[600], object[2048], why[sizeof(one->err.msg)], *row;
    const char *key = one->entry->key, *slash = strchr(key, '/'), *second = slash ? strchr(slash + 1, '/') : NULL;
    CLEANUP_FREE char *here = strndup(key, second ? (size_t)(second - key) : strlen(key));

    if (one->entry->time_ns)
        clock_format(one->entry->time_ns, time);
    return asprintf(&row, "%.10s %.8s%s  %-32s %-10s %-16s %9s %9s %8s  %s (%s)\n", time,
                    one->entry->time_ns ? time + 11 : "", one->entry->time_ns ? "Z" : "",
                    text_printable(here ? here : key, place, sizeof(place)), "?", "unreadable", "?", "?", "?",
                    text_printable(url ? url : key, object, sizeof(object)),
                    text_printable(one->err.msg, why, sizeof(why))) < 0
               ? NULL
               : row;
}

static char *bad_json(const struct sink_config *config, const struct catalog_read *one)
{
    CLEANUP_FREE char *url = sink_object_url(config, one->entry->key);
    json_auto_t *object = json_object();

    if (!object || !url || json_object_set_new(object, "error", jsonout_text(one->err.msg, sizeof(one->err.msg))) < 0 ||
        json_object_set_new(object, "key", jsonout_text(one->entry->key, MANIFEST_TEXT_MAX)) < 0 ||
        json_object_set_new(object, "url", jsonout_text(url, URL_TEXT_MAX)) < 0)
        return NULL;
    return json_dumps(object, JSON_INDENT(2) | JSON_ENSURE_ASCII);
}

static bool is_older(const struct row *a, const struct row *b)
{
    return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : strcmp(a->key, b->key) < 0;
}

static void swap(struct row *a, struct row *b)
{
    struct row kept = *a;

    *a = *b;
    *b = kept;
}

static void sift_down(struct listing *l, size_t at)
{
    for (;;) {
        size_t oldest = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < l->count; child++)
            if (is_older(&l->row[child], &l->row[oldest]))
                oldest = child;
        if (oldest == at)
            return;
        swap(&l->row[at], &l->row[oldest]);
        at = oldest;
    }
}

static void drop_oldest(struct listing *l)
{
    l->bytes -= strlen(l->row[0].text);
    free(l->row[0].text);
    free(l->row[0].key);
    l->row[0] = l->row[--l->count];
    sift_down(l, 0);
}

static int add_row(struct listing *l, int64_t when_ns, const char *key, char *text)
{
    struct row row = {when_ns, text, strdup(key)};

    if (!text || !row.key || array_reserve(&l->row, l->count + 1, &l->capacity, sizeof(*l->row), SIZE_MAX) < 0) {
        free(text);
        free(row.key);
        return -ENOMEM;
    }
    l->bytes += strlen(text);
    l->row[l->count++] = row;
    for (size_t at = l->count - 1; at > 0 && is_older(&l->row[at], &l->row[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&l->row[at], &l->row[(at - 1) / 2]);
    if (l->options->limit > 0 && l->count > l->options->limit)
        drop_oldest(l);
    return 0;
}

/* A case's time is hardly later than its manifest's. Once enough rows are newer than all remaining manifests, those are
 * not read. */
static int wanted(void *ctx, const struct catalog_entry *entry)
{
    const struct listing *l = ctx;

    if (l->options->limit > 0 && l->count >= l->options->limit && entry->time_ns != 0 &&
        entry->time_ns / 1000000000 + SLACK_S < l->row[0].when_ns / 1000000000)
        return -1;
    return 1;
}

static int take_bad(struct listing *l, struct catalog_read *one)
{
    /* A file such as package.json: no object "package" lies beside it. */
    if (one->result == -FAULT_NO_OBJECT || !one->entry->whole || !is_at(l->places, one->entry->key))
        return 0;
    if (!l->unreadable) {
        l->unreadable = one->result;
        l->err = one->err;
    }
    return add_row(l, one->entry->time_ns, one->entry->key,
                   l->options->json ? bad_json(l->config, one) : bad_text(l->config, one));
}

static int take(void *ctx, struct catalog_read *one)
{
    struct listing *l = ctx;
    const struct manifest *m = &one->manifest;
    char here[600];
    int64_t when_ns = m->time.modified ? m->time.modified : m->time.shipped;

    if (one->result < 0)
        return take_bad(l, one);
    place_of(m, here, sizeof(here));
    if (!is_at(l->places, here))
        return 0;
    l->readable++;
    if (l->bytes > ROWS_BYTES)
        return err_set(&one->err, -EMSGSIZE, "that is too much for one list: give --limit N, or name a place");
    return add_row(l, when_ns, m->key, l->options->json ? row_json(l->config, one) : row_text(l->config, m, when_ns));
}

static int newest_first(const void *a, const void *b)
{
    return is_older(a, b) ? 1 : is_older(b, a) ? -1 : 0;
}

static int print(struct listing *l, struct err *e)
{
    bool bold = table_colours(), json = l->options->json;

    if (l->count > 0)
        qsort(l->row, l->count, sizeof(*l->row), newest_first);
    if (json)
        fputs(l->count > 0 ? "[\n" : "[", stdout);
    else if (l->count > 0)
        printf("%s%-20s  %-32s %-10s %-16s %9s %9s %8s  %s%s\n", bold ? "\033[1m" : "", "WHEN", "WHERE", "WHY", "WHAT",
               "SIZE", "STORED", "PAUSE", "OBJECT", bold ? "\033[0m" : "");
    for (size_t i = 0; i < l->count; i++)
        printf("%s%s", l->row[i].text, !json ? "" : i + 1 < l->count ? ",\n" : "\n");
    if (json)
        puts("]");
    return fflush(stdout) == 0 ? 0 : err_set(e, -EIO, "cannot write to stdout");
}

static int run_on(const struct ls_options *o, const char *url, char *const *places, struct err *e)
{
    CLEANUP(sink_config_done) struct sink_config config = {0};
    CLEANUP(catalog_done) struct catalog catalog = {0};
    CLEANUP(listing_done) struct listing l = {.options = o, .config = &config, .places = places};
    struct sink *sink = NULL;
    int r;

    if ((r = plan_sink_config(&config, &o->plan, url, e)) < 0 || (r = sink_open(&config, &sink, e)) < 0)
        return r;
    r = catalog_list(&catalog, sink, &config, places, e);
    if (r == 0)
        r = catalog_read(&catalog, sink, &(struct catalog_reader){wanted, take, &l}, e);
    sink_close(sink);
    if (r < 0 || (r = print(&l, e)) < 0)
        return r;
    if (l.count == 0 && !o->json)
        fprintf(stderr, "salvage: nothing there%s\n", *places ? " for that place" : "");
    /* Some manifests that can't be read become rows; if none can be read, it is a fault. */
    if (l.readable == 0 && l.unreadable == -FAULT_DENIED) {
        *e = l.err;
        return l.unreadable;
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct ls_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int count = opt_parse(LS_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e), r;
    const char *url;

    if (count < 0)
        return command_fail(count, &e);
    url = count > 0 && strstr(operands[0], "://") ? operands[0] : o.plan.to;
    if (!url)
        return command_error(-FAULT_USAGE, "ls: which store? salvage ls URL [PLACE...], or --to URL");
    r = run_on(&o, url, operands + (count > 0 && url == operands[0]), &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_LS = {
    .name = "ls",
    .args = "[URL] [PLACE...]",
    .summary = "list the cases in a store, newest first",
    .text = "Shows time, place, cause, kind and size of the evidence, and for how long the process stood still for it "
            "(< for an upper bound). The last column is the argument for `salvage get`. PLACE is NAMESPACE/POD, "
            "ecs/CLUSTER/FAMILY/TASK or host/HOSTNAME, or the beginning of one: shop/cart finds every pod with a name "
            "that begins with cart. Without URL the store is that of --to or SALVAGE_TO.",
    .examples = "salvage ls s3://evidence/prod shop/\n"
                "    everything of namespace shop\n"
                "salvage ls s3://evidence/prod shop/cart bank/ledger\n"
                "    pods with names that begin with these\n"
                "salvage ls s3://evidence/prod ecs/shop/cart\n"
                "    every task of the family cart in the cluster shop\n"
                "salvage ls s3://evidence/prod --json | jq -r '.[0].url'\n"
                "    the newest object\n",
    .options = LS_OPTIONS,
    .run = run,
};
