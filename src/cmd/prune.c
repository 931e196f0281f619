/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage prune: what a policy does not keep leaves the store. Reads one listing; of crash loops also what the cases in
 * their middle are suspected of.
 */
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/store_operand.h"
#include "linux/volume.h"
#include "ship/case_remove.h"
#include "ship/case_suspect_read.h"
#include "ship/plan.h"
#include "ship/retain_plan.h"

struct prune_options {
    struct plan_options plan;
    struct opt_list retain;
    bool dry_run, json;
};

static const struct opt PRUNE_OPTIONS[] = {
    {OPT_HEADING, .name = "Removing"},
    {OPT_LIST, 0, "retain", "[NAMESPACE:]LIMITS", NULL, offsetof(struct prune_options, retain),
     "what stays: age=30d, count=20 (cases of one workload), bytes=500G, free=10G (left on the disk; folders only), "
     "joined "
     "by commas; for one namespace: shop:age=90d,bytes=50G; may be repeated"},
    {OPT_FLAG, 'n', "dry-run", NULL, NULL, offsetof(struct prune_options, dry_run),
     "only show what would be removed, and why"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct prune_options, json),
     "an array of objects: case, url, time, bytes, objects, reason, removed"},
    PLAN_OPTIONS_STORE(struct prune_options, plan),
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

enum { URL_TEXT_MAX = 8 * 1024 };

/* One run of the command. */
struct pruning {
    const struct prune_options *options;
    struct sink_config config;
    struct sink *sink;
    struct case_list cases;
    struct retain_policy policy;
    json_t *json;
    struct table table;
    int suspect_result; /* of the first failure */
    struct err suspect_error;
    bool denied;
    size_t removed;
    uint64_t removed_bytes;
};

static const struct table_column COLUMNS[] = {
    {"WHEN", TABLE_LEFT}, {"SIZE", TABLE_RIGHT}, {"WHY", TABLE_LEFT}, {"CASE", TABLE_LEFT}};

static void pruning_done(struct pruning *p)
{
    sink_close(p->sink);
    sink_config_done(&p->config);
    case_list_done(&p->cases);
    retain_policy_done(&p->policy);
    table_done(&p->table);
    json_decref(p->json);
}

static uint64_t free_bytes(const struct pruning *p)
{
    uint64_t size, left;

    return p->config.url.scheme == URL_FILE && volume_space_at(p->config.url.path, &size, &left) == 0 ? left
                                                                                                      : UINT64_MAX;
}

static int read_policy(struct pruning *p, struct err *e)
{
    const struct opt_list *rules = &p->options->retain;
    const struct retain_rule *general;
    int r;

    if (rules->count == 0)
        return err_set(e, -FAULT_USAGE, "prune: what is to stay? --retain age=30d, for instance");
    if ((r = retain_policy_read(&p->policy, rules->item, rules->count, e)) < 0)
        return r;
    general = retain_rule_general(&p->policy);
    if (general && general->limits.free > 0 && free_bytes(p) == UINT64_MAX)
        return err_set(e, -FAULT_USAGE, "--retain free=: only a folder (file://) has a disk");
    return 0;
}

static int add_json(struct pruning *p, const struct listed_case *c)
{
    CLEANUP_FREE char *url = sink_object_url(&p->config, c->id);
    char reason[RETAIN_REASON_MAX], when[CLOCK_TEXT_MAX];
    json_t *one = json_object();

    if (!url || !one || json_object_set_new(one, "case", jsonout_text(c->id, URL_TEXT_MAX)) < 0 ||
        json_object_set_new(one, "url", jsonout_text(url, URL_TEXT_MAX)) < 0 ||
        json_object_set_new(one, "time", json_string(clock_format(c->time_ns, when))) < 0 ||
        json_object_set_new(one, "bytes", json_integer((json_int_t)c->bytes)) < 0 ||
        json_object_set_new(one, "objects", json_integer(c->objects)) < 0 ||
        json_object_set_new(one, "reason", json_string(retain_reason(c, reason))) < 0 ||
        json_object_set_new(one, "removed", json_boolean(!p->options->dry_run)) < 0) {
        json_decref(one);
        return -ENOMEM;
    }
    return json_array_append_new(p->json, one) < 0 ? -ENOMEM : 0;
}

static int add_row(struct pruning *p, const struct listed_case *c)
{
    char reason[RETAIN_REASON_MAX], when[CLOCK_TEXT_MAX], size[TEXT_SIZE_MAX], id[1200];
    int r;

    clock_format(c->time_ns, when);
    when[strlen("2026-11-21T01:56:05")] = '\0';
    if ((r = table_add(&p->table, when)) < 0 || (r = table_add(&p->table, text_format_size(c->bytes, size))) < 0 ||
        (r = table_add(&p->table, retain_reason(c, reason))) < 0)
        return r;
    return table_add(&p->table, text_printable(c->id, id, sizeof(id)));
}

static int remove_case(struct pruning *p, const struct listed_case *c, struct err *e)
{
    CLEANUP(case_objects_done) struct case_objects objects = {0};
    int r = case_objects_list(p->sink, c->id, c->folder, &objects, e);

    return r < 0 ? r : case_remove(p->sink, &objects.keys, NULL, NULL, e);
}

static int prune(struct pruning *p, struct err *e)
{
    for (size_t i = 0; i < p->cases.count; i++) {
        const struct listed_case *c = &p->cases.item[i];
        int r;

        if (c->reason == CASE_STAYS)
            continue;
        if (!p->options->dry_run && (r = remove_case(p, c, e)) < 0)
            return r;
        p->removed++;
        p->removed_bytes += c->bytes;
        if ((p->options->json ? add_json : add_row)(p, c) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    }
    return 0;
}

static int print(struct pruning *p, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = SIZE_MAX};
    char size[TEXT_SIZE_MAX];

    if (p->options->json)
        return json_dumpf(p->json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0 && puts("") >= 0 &&
                       fflush(stdout) == 0
                   ? 0
                   : err_set(e, -EIO, "cannot write to stdout");
    if (p->removed > 0 && table_print(&p->table, table_colours(), &text) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    fputs(buf_text(&text), stdout);
    command_say("%s %zu of %zu cases, %s", p->options->dry_run ? "would remove" : "removed", p->removed, p->cases.count,
                text_format_size(p->removed_bytes, size));
    return fflush(stdout) == 0 ? 0 : err_set(e, -EIO, "cannot write to stdout");
}

static void find_suspect(void *ctx, const struct listed_case *c, char out[SUSPECT_MAX])
{
    struct pruning *p = ctx;

    if (p->suspect_result == 0)
        p->suspect_result = case_suspect_read(p->sink, c->id, c->folder, out, &p->suspect_error);
    if (p->suspect_result == -FAULT_DENIED && !p->denied) {
        p->denied = true;
        command_say("manifests may not be read: of crash loops the first and the last case are kept, whatever the "
                    "suspects of the others are");
    }
}

/* Nothing is removed if the store fails meanwhile: what is not known might be the last case of its suspect. */
static int plan(struct pruning *p, struct err *e)
{
    const struct retain_now now = {clock_wall_ns(), free_bytes(p), find_suspect, p};

    if (!p->json || retain_plan(&p->cases, &p->policy, &now) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (p->suspect_result == 0 || p->denied)
        return 0;
    *e = p->suspect_error;
    return p->suspect_result;
}

static int run_on(const struct prune_options *o, const char *url, struct err *e)
{
    CLEANUP(pruning_done)
    struct pruning p = {
        .options = o, .json = json_array(), .table = {.columns = COLUMNS, .count = ARRAY_SIZE(COLUMNS)}};
    struct err shown = {0};
    int r, printed;

    if ((r = plan_sink_config(&p.config, &o->plan, url, e)) < 0 || (r = read_policy(&p, e)) < 0 ||
        (r = sink_open(&p.config, &p.sink, e)) < 0 || (r = case_list_read(&p.cases, p.sink, e)) < 0)
        return r;
    if ((r = plan(&p, e)) < 0)
        return r;
    r = prune(&p, e);
    printed = print(&p, &shown); /* what was removed before a failure, too */
    if (r == 0 && printed < 0)
        *e = shown;
    return r < 0 ? r : printed;
}

static int run(int argc, char **argv)
{
    struct prune_options o = {0};
    const struct store_command command = {PRUNE_OPTIONS, &o, &o.plan};
    CLEANUP_FREE char *url = NULL;
    struct err e = {0};
    int r = store_operand_parse(&command, &(struct opt_argv){argc, argv}, &url, &e);

    if (r == 0)
        r = run_on(&o, url, &e);
    return r < 0 ? command_fail(r, &e) : 0;
}

const struct command CMD_PRUNE = {
    .name = "prune",
    .args = "[URL] --retain LIMITS",
    .summary = "remove from a store what need not be kept",
    .text =
        "Removes whole cases until what is left is within the limits: those that are too old; then, of what is too "
        "much, "
        "first the cases in the middle of crash loops, then the oldest. The first and the last of a crash loop (cases "
        "of one workload and cause, none further than six hours from the next) stay longest, and the first of each "
        "suspect, which is what filled the heap (at most sixteen in a loop); pinned cases stay always "
        "(`salvage pin`). Limits of a namespace take the place of the general ones, limit by limit. Objects that are "
        "no evidence of ours are never touched: neither in a folder of a case, nor with a manifest beside them. A "
        "folder of a case without any manifest is left of a removal or an upload that was broken off; it counts as a "
        "case once nothing came to it for a day. Works on every store, and reads its listing, and of cases in the "
        "middle of crash loops their manifests or analyses.",
    .examples =
        "salvage prune s3://evidence/prod --retain age=30d,bytes=500G --dry-run\n"
        "    what would go, and why\n"
        "salvage prune file:///data --retain free=10G --retain shop:age=90d,count=50\n"
        "    at least 10 GiB left on the disk; of namespace shop at most 50 cases of each workload, for 90 days\n",
    .options = PRUNE_OPTIONS,
    .run = run,
};
