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

enum { ROWS_BYTES = 256 * 1024 * 1024, SLACK_S = 24 * 3600, URL_TEXT_MAX = 8 * 1024, SUMMARY_WIDTH = 60 };

struct row {
    int64_t when_ns;
    char *text;    /* the line up to its last column, or the JSON object */
    char *summary; /* printable; NULL: none */
    char *object;  /* the last column; NULL with JSON */
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
    size_t summary_width; /* of the widest that was added; 0: none, and no column */
    int unreadable;       /* the error of the first one that could not be read */
    struct err err;
};

static void row_done(struct row *row)
{
    free(row->text);
    free(row->summary);
    free(row->object);
    free(row->key);
    *row = (struct row){0};
}

static void listing_done(struct listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        row_done(&l->row[i]);
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

/* Characters of printable UTF-8 text. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static char *short_summary(const char *summary)
{
    char text[SUMMARY_WIDTH + 1];

    return strdup(text_printable(summary, text, sizeof(text)));
}

static char *object_text(const struct sink_config *config, const char *key)
{
    CLEANUP_FREE char *url = sink_object_url(config, key);
    char object[2048];

    return strdup(text_printable(url ? url : key, object, sizeof(object)));
}

/* A manifest is foreign text, and may contain control sequences. */
static int make_row(const struct sink_config *config, const struct manifest *m, struct row *ret)
{
    char time[CLOCK_TEXT_MAX], here[600], what[60], size[TEXT_SIZE_MAX], stored[TEXT_SIZE_MAX];
    char place[600], cause[40], kind[60], pause[PAUSE_TEXT_MAX];

    clock_format(ret->when_ns, time);
    place_of(m, here, sizeof(here));
    snprintf(what, sizeof(what), "%.40s%s", m->kind ? m->kind : "file", m->partial ? " (partial)" : "");
    if (asprintf(&ret->text, "%.10s %.8sZ  %-32s %-10s %-16s %9s %9s %8s", time, time + 11,
                 text_printable(here, place, sizeof(place)),
                 text_printable(m->cause ? m->cause : "-", cause, sizeof(cause)),
                 text_printable(what, kind, sizeof(kind)), text_format_size(m->size, size),
                 text_format_size(m->stored_size, stored), pause_print(&m->pause, pause)) < 0)
        ret->text = NULL;
    ret->object = object_text(config, m->key);
    if (m->summary && *m->summary && !(ret->summary = short_summary(m->summary)))
        return -ENOMEM;
    return ret->text && ret->object ? 0 : -ENOMEM;
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
static int make_bad_row(const struct sink_config *config, const struct catalog_read *one, struct row *ret)
{
    char time[CLOCK_TEXT_MAX] = "-", place[600], why[sizeof(one->err.msg)];
    const char *key = one->entry->key, *slash = strchr(key, '/'), *second = slash ? strchr(slash + 1, '/') : NULL;
    CLEANUP_FREE char *here = strndup(key, second ? (size_t)(second - key) : strlen(key));
    CLEANUP_FREE char *object = object_text(config, key);

    if (one->entry->time_ns)
        clock_format(one->entry->time_ns, time);
    if (asprintf(&ret->text, "%.10s %.8s%s  %-32s %-10s %-16s %9s %9s %8s", time, one->entry->time_ns ? time + 11 : "",
                 one->entry->time_ns ? "Z" : "", text_printable(here ? here : key, place, sizeof(place)), "?",
                 "unreadable", "?", "?", "?") < 0)
        ret->text = NULL;
    if (!object || asprintf(&ret->object, "%s (%s)", object, text_printable(one->err.msg, why, sizeof(why))) < 0)
        ret->object = NULL;
    return ret->text && ret->object ? 0 : -ENOMEM;
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

static size_t row_bytes(const struct row *row)
{
    return strlen(row->text) + (row->summary ? strlen(row->summary) : 0) + (row->object ? strlen(row->object) : 0);
}

static void drop_oldest(struct listing *l)
{
    l->bytes -= row_bytes(&l->row[0]);
    row_done(&l->row[0]);
    l->row[0] = l->row[--l->count];
    sift_down(l, 0);
}

/* Takes the row, complete or not. */
static int add_row(struct listing *l, int made, struct row row)
{
    size_t width = row.summary ? width_of(row.summary) : 0;

    if (made < 0 || !row.text || !row.key ||
        array_reserve(&l->row, l->count + 1, &l->capacity, sizeof(*l->row), SIZE_MAX) < 0) {
        row_done(&row);
        return -ENOMEM;
    }
    if (width > l->summary_width)
        l->summary_width = width;
    l->bytes += row_bytes(&row);
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
    struct row row = {.when_ns = one->entry->time_ns};
    int r = 0;

    /* A file such as package.json: no object "package" lies beside it. */
    if (one->result == -FAULT_NO_OBJECT || !one->entry->whole || !is_at(l->places, one->entry->key))
        return 0;
    if (!l->unreadable) {
        l->unreadable = one->result;
        l->err = one->err;
    }
    row.key = strdup(one->entry->key);
    if (l->options->json)
        row.text = bad_json(l->config, one);
    else
        r = make_bad_row(l->config, one, &row);
    return add_row(l, r, row);
}

static int take(void *ctx, struct catalog_read *one)
{
    struct listing *l = ctx;
    const struct manifest *m = &one->manifest;
    struct row row = {.when_ns = m->time.modified ? m->time.modified : m->time.shipped};
    char here[600];
    int r = 0;

    if (one->result < 0)
        return take_bad(l, one);
    place_of(m, here, sizeof(here));
    if (!is_at(l->places, here))
        return 0;
    l->readable++;
    if (l->bytes > ROWS_BYTES)
        return err_set(&one->err, -EMSGSIZE, "that is too much for one list: give --limit N, or name a place");
    row.key = strdup(m->key);
    if (l->options->json)
        row.text = row_json(l->config, one);
    else
        r = make_row(l->config, m, &row);
    return add_row(l, r, row);
}

static int newest_first(const void *a, const void *b)
{
    return is_older(a, b) ? 1 : is_older(b, a) ? -1 : 0;
}

/* A column only if there is something in it. */
static void print_summary(const struct listing *l, const char *text)
{
    if (l->summary_width > 0)
        printf("  %s%*s", text, (int)(l->summary_width - width_of(text)), "");
}

static void print_head(struct listing *l)
{
    bool bold = table_colours();

    if (l->summary_width > 0 && l->summary_width < strlen("SUMMARY"))
        l->summary_width = strlen("SUMMARY");
    printf("%s%-20s  %-32s %-10s %-16s %9s %9s %8s", bold ? "\033[1m" : "", "WHEN", "WHERE", "WHY", "WHAT", "SIZE",
           "STORED", "PAUSE");
    print_summary(l, "SUMMARY");
    printf("  OBJECT%s\n", bold ? "\033[0m" : "");
}

static void print_lines(struct listing *l)
{
    if (l->count > 0)
        print_head(l);
    for (size_t i = 0; i < l->count; i++) {
        fputs(l->row[i].text, stdout);
        print_summary(l, l->row[i].summary ? l->row[i].summary : "");
        printf("  %s\n", l->row[i].object);
    }
}

static void print_json(const struct listing *l)
{
    fputs(l->count > 0 ? "[\n" : "[", stdout);
    for (size_t i = 0; i < l->count; i++)
        printf("%s%s", l->row[i].text, i + 1 < l->count ? ",\n" : "\n");
    puts("]");
}

static int print(struct listing *l, struct err *e)
{
    if (l->count > 0)
        qsort(l->row, l->count, sizeof(*l->row), newest_first);
    if (l->options->json)
        print_json(l);
    else
        print_lines(l);
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
            "(< for an upper bound), and what the evidence says in one sentence, cut (--json has all of it). The last "
            "column is the argument for `salvage get`. PLACE is NAMESPACE/POD, "
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
