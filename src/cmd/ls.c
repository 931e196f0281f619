/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage ls: the cases in a store, newest first. Reads manifests: an object without one is not whole, and not shown.
 */
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/plan.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "format/manifest.h"

struct ls_options {
    struct plan_options plan;
    uint64_t limit;
    bool json;
};

static const struct opt LS_OPTIONS[] = {
    {OPT_HEADING, .name = "Listing"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct ls_options, json), "an array of manifests, each with its url"},
    {OPT_UINT, 'n', "limit", "N", "100", offsetof(struct ls_options, limit), "the newest N; 0: all"},
    {OPT_HEADING, .name = "Store"},
    PLAN_OPTIONS_ACCESS(struct ls_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

struct found {
    char *key; /* of the manifest */
    int64_t time_ns;
};

struct listing {
    struct found *found;
    size_t count, capacity;
};

static void listing_done(struct listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->found[i].key);
    free(l->found);
}

static int on_entry(void *ctx, const struct sink_listing_entry *entry)
{
    struct listing *l = ctx;

    if (!text_ends(entry->key, MANIFEST_SUFFIX))
        return 0;
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? l->capacity * 2 : 256;
        struct found *found = reallocarray(l->found, capacity, sizeof(*found));

        if (!found)
            return -ENOMEM;
        l->found = found;
        l->capacity = capacity;
    }
    l->found[l->count] = (struct found){.key = strdup(entry->key), .time_ns = entry->time_ns};
    return l->found[l->count].key ? (l->count++, 0) : -ENOMEM;
}

static int newest_first(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    return x->time_ns < y->time_ns ? 1 : x->time_ns > y->time_ns ? -1 : strcmp(y->key, x->key);
}

static int keep_data(void *ctx, const void *data, size_t size)
{
    return buf_add(ctx, data, size);
}

/* "namespace/pod", "ecs/cluster/family/task" or "host/NAME": what the key would begin with. */
static void place_of(const struct manifest *m, char *out, size_t size)
{
    if (m->where.place)
        snprintf(out, size, "%s", m->where.place);
    else if (m->where.pod) /* older manifests don't say */
        snprintf(out, size, "%s/%s", m->where.namespace ? m->where.namespace : "default", m->where.pod);
    else
        snprintf(out, size, "host/%s", m->where.host ? m->where.host : "unknown");
}

/* PLACE may be the beginning of one, by whole parts: a namespace, ecs/CLUSTER. */
static bool is_at(const struct manifest *m, const char *place)
{
    char here[600];
    size_t n = place ? strlen(place) : 0;

    while (n > 0 && place[n - 1] == '/')
        n--;
    place_of(m, here, sizeof(here));
    return n == 0 || (strncmp(here, place, n) == 0 && (here[n] == '/' || here[n] == '\0'));
}

static void print_head(void)
{
    bool bold = table_colours();

    printf("%s%-20s  %-32s %-10s %-16s %9s %9s  %s%s\n", bold ? "\033[1m" : "", "WHEN", "WHERE", "WHY", "WHAT", "SIZE",
           "STORED", "OBJECT", bold ? "\033[0m" : "");
}

static void print_row(const struct sink_config *config, const struct manifest *m)
{
    CLEANUP_FREE char *url = sink_object_url(config, m->key);
    char time[CLOCK_TEXT_MAX], here[600], what[60], size[TEXT_SIZE_MAX], stored[TEXT_SIZE_MAX];
    char place[600], cause[40], kind[60], object[2048];

    /* A manifest is a stranger's text, and may try to speak to the terminal. */
    clock_format(m->time.modified ? m->time.modified : m->time.shipped, time);
    place_of(m, here, sizeof(here));
    snprintf(what, sizeof(what), "%.40s%s", m->kind ? m->kind : "file", m->partial ? " (partial)" : "");
    printf("%.10s %.8sZ  %-32s %-10s %-16s %9s %9s  %s\n", time, time + 11, text_printable(here, place, sizeof(place)),
           text_printable(m->cause ? m->cause : "-", cause, sizeof(cause)), text_printable(what, kind, sizeof(kind)),
           text_format_size(m->size, size), text_format_size(m->stored_size, stored),
           text_printable(url ? url : m->key, object, sizeof(object)));
}

static int add_json(json_t *array, const struct sink_config *config, const struct buf *text, const struct manifest *m)
{
    CLEANUP_FREE char *url = sink_object_url(config, m->key);
    json_t *one = json_loadb(text->data, text->size, 0, NULL);

    if (!one || !url || json_object_set_new(one, "url", json_string(url)) < 0 || json_array_append_new(array, one) < 0)
        return -ENOMEM;
    return 0;
}

static int show(struct sink *sink, const struct sink_config *config, const struct ls_options *o,
                const struct listing *l, const char *place, json_t *array, struct err *e)
{
    uint64_t shown = 0;

    for (size_t i = 0; i < l->count && (o->limit == 0 || shown < o->limit); i++) {
        CLEANUP(buf_done) struct buf text = {.ceiling = MANIFEST_MAX};
        CLEANUP(manifest_done) struct manifest m = {0};
        struct err not_ours;
        int r = sink->ops->read(sink, l->found[i].key, 0, NULL, keep_data, &text, e);

        if (r == -FAULT_NO_OBJECT || r == -EMSGSIZE)
            continue;
        if (r < 0)
            return r;
        if (manifest_decode(buf_text(&text), text.size, &m, &not_ours) < 0 || !is_at(&m, place))
            continue;
        if (array && add_json(array, config, &text, &m) < 0)
            return err_set(e, -ENOMEM, "out of memory");
        if (!array && shown == 0)
            print_head();
        if (!array)
            print_row(config, &m);
        shown++;
    }
    if (!array && shown == 0)
        fprintf(stderr, "salvage: nothing there%s%s\n", place ? " for " : "", place ? place : "");
    return 0;
}

/* By the default template the place is a prefix of the key, and much need not be listed; else all is. */
static int list(struct sink *sink, const char *place, struct listing *l, struct err *e)
{
    CLEANUP(buf_done) struct buf prefix = {0};
    int r = 0;

    if (place && buf_printf(&prefix, "%s%s", place, text_ends(place, "/") ? "" : "/") == 0)
        r = sink->ops->list(sink, buf_text(&prefix), on_entry, l, e);
    if (r == 0 && l->count == 0)
        r = sink->ops->list(sink, "", on_entry, l, e);
    return r;
}

static int run_on(const struct ls_options *o, const char *url, const char *place, struct err *e)
{
    CLEANUP(sink_config_done) struct sink_config config = {0};
    CLEANUP(listing_done) struct listing l = {0};
    struct sink *sink = NULL;
    json_t *array = NULL;
    int r;

    if ((r = plan_sink_config(&config, &o->plan, url, e)) < 0 || (r = sink_open(&config, &sink, e)) < 0)
        return r;
    r = list(sink, place, &l, e);
    if (r == 0 && l.count > 0)
        qsort(l.found, l.count, sizeof(*l.found), newest_first);
    if (o->json)
        array = json_array();
    if (r == 0)
        r = show(sink, &config, o, &l, place, array, e);
    if (r == 0 && array) {
        json_dumpf(array, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(array);
    sink_close(sink);
    return r;
}

static int run(int argc, char **argv)
{
    struct ls_options o = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int count = opt_parse(LS_OPTIONS, argc, argv, &o, &operands, &e), r;

    if (count < 0)
        return command_fail(count, &e);
    if (count < 1 || count > 2)
        return command_error(-FAULT_USAGE, "ls: which store? salvage ls URL [PLACE]");
    r = run_on(&o, operands[0], count > 1 ? operands[1] : NULL, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_LS = {
    .name = "ls",
    .args = "URL [PLACE]",
    .summary = "list the cases in a store, newest first",
    .text = "Shows when it happened, to whom, why, what was saved and how large it is. The last column is what "
            "`salvage get` "
            "takes. PLACE is NAMESPACE/POD, ecs/CLUSTER/FAMILY/TASK or host/HOSTNAME, or the beginning of one.",
    .examples = "salvage ls s3://evidence/prod shop\n"
                "    everything of namespace shop\n"
                "salvage ls s3://evidence/prod ecs/shop/cart\n"
                "    every task of the family cart in the cluster shop\n"
                "salvage ls s3://evidence/prod --json | jq -r '.[0].url'\n"
                "    the newest object\n",
    .options = LS_OPTIONS,
    .run = run,
};
