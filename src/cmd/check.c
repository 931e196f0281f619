/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage check: finds problems before evidence is lost.
 */
#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "probe/finding.h"
#include "probe/folders.h"
#include "probe/machine.h"
#include "probe/store.h"
#include "ship/key_template.h"
#include "ship/plan.h"

struct check_options {
    struct plan_options plan;
    bool json;
};

static const struct opt CHECK_OPTIONS[] = {
    PLAN_OPTIONS_PLACE(struct check_options, plan),
    {OPT_HEADING, .name = "Checking"},
    PLAN_ROW(OPT_DURATION, "timeout", "DURATION", "20s", struct check_options, plan.timeout_ms,
             "for all checks; a check that has not finished by then fails"),
    PLAN_ROW(OPT_STRING, "key", "TEMPLATE", TEMPLATE_DEFAULT, struct check_options, plan.key,
             "name of the small test object: a role may be limited to some names"),
    PLAN_ROW(OPT_STRING, "state", "DIR", NULL, struct check_options, plan.state,
             "the state folder of the watch; default: .salvage in each DIR"),
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct check_options, json),
     "print one JSON object: result, and in checks the name, result, text and remedy of each line"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

struct printing {
    json_t *checks; /* NULL: lines */
    bool colours;
    enum finding_result worst;
};

static int print_line(const struct printing *p, const struct finding *f)
{
    static const char *const COLOURS[] = {"\033[32m", "\033[33m", "\033[1;31m"};
    int r = printf("%s%-4s%s  %s: %s%s%s\n", p->colours ? COLOURS[f->result] : "", FINDING_WORDS[f->result],
                   p->colours ? "\033[0m" : "", f->name, f->text,
                   !*f->remedy               ? ""
                   : text_ends(f->text, "?") ? " "
                                             : ": ",
                   f->remedy);

    return r < 0 || fflush(stdout) != 0 ? -EIO : 0;
}

static int print(struct printing *p, const struct finding *f)
{
    json_t *object;

    if (f->result > p->worst)
        p->worst = f->result;
    if (!p->checks)
        return print_line(p, f);
    object = json_pack("{s:s, s:s, s:o}", "name", f->name, "result", FINDING_WORDS[f->result], "text",
                       jsonout_text(f->text, sizeof(f->text)));
    if (object && *f->remedy)
        json_object_set_new(object, "remedy", jsonout_text(f->remedy, sizeof(f->remedy)));
    return json_array_append_new(p->checks, object) < 0 ? -ENOMEM : 0;
}

static int print_json(const struct printing *p)
{
    CLEANUP_FREE char *text = NULL;
    json_t *root = json_pack("{s:s, s:s, s:O}", "schema", "salvage.check/1", "result", FINDING_WORDS[p->worst],
                             "checks", p->checks);

    text = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_decref(root);
    if (!text)
        return -ENOMEM;
    return puts(text) < 0 || fflush(stdout) != 0 ? -EIO : 0;
}

static int no_store(struct printing *p)
{
    return print(p, &(struct finding){.result = FINDING_WARN,
                                      .name = "store",
                                      .text = "no store is given, so none was checked",
                                      .remedy = "--to URL, or SALVAGE_TO"});
}

/* Runs all groups at the same time, and prints their findings group by group. */
static int run_groups(struct finding_group *groups, unsigned count, uint64_t until_ms, struct printing *p,
                      struct err *e)
{
    struct finding found;
    int r = 0;

    for (unsigned i = 0; i < count && r == 0; i++)
        r = finding_start(&groups[i]);
    if (r < 0)
        err_set(e, r, "check: no process can be started: %s", strerror(-r));
    for (unsigned i = 0; i < count && r == 0; i++)
        while (r == 0 && finding_next(&groups[i], until_ms, &found) > 0)
            if ((r = print(p, &found)) < 0)
                err_set(e, r, r == -EIO ? "cannot write to stdout" : "out of memory");
    for (unsigned i = 0; i < count; i++)
        finding_end(&groups[i]);
    return r;
}

static int check(const struct check_options *o, char *const *dirs, const struct plan *plan, struct printing *p,
                 struct err *e)
{
    struct probe_store store = {.plan = plan, .credentials_file = o->plan.credentials_file};
    struct probe_folders folders = {.dirs = dirs, .state = o->plan.state};
    uint64_t until_ms = clock_mono_ms() + o->plan.timeout_ms;
    struct finding_group groups[3];
    unsigned count = 0;
    int r = plan ? 0 : no_store(p);

    if (plan)
        groups[count++] = (struct finding_group){.run = probe_store, .ctx = &store, .child = REPORT_CHILD_NONE};
    if (*dirs)
        groups[count++] = (struct finding_group){.run = probe_folders, .ctx = &folders, .child = REPORT_CHILD_NONE};
    groups[count++] = (struct finding_group){.run = probe_machine, .child = REPORT_CHILD_NONE};
    if (r == 0)
        r = run_groups(groups, count, until_ms, p, e);
    if (r == 0 && p->checks && (r = print_json(p)) < 0)
        err_set(e, r, r == -EIO ? "cannot write to stdout" : "out of memory");
    return r;
}

static int run(int argc, char **argv)
{
    struct check_options o = {0};
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP_FREE char **dirs = NULL;
    struct printing p = {.colours = table_colours()};
    struct err e = {0};
    int r = opt_parse(CHECK_OPTIONS, &(struct opt_argv){argc, argv}, &o, &dirs, &e);

    if (r >= 0 && o.plan.timeout_ms == 0)
        r = err_set(&e, -FAULT_USAGE, "check: --timeout must be greater than 0");
    for (int i = 0; i < r; i++)
        if (strstr(dirs[i], "://"))
            return command_error(-FAULT_USAGE, "check: %s is the URL of a store: give it with --to", dirs[i]);
    if (r < 0)
        return command_fail(r, &e);
    o.plan.memory = PLAN_MEMORY_MIN;
    if (o.plan.to && *o.plan.to && (r = plan_init(&plan, &o.plan, &e)) < 0)
        return command_fail(r, &e);
    if (o.json && !(p.checks = json_array()))
        return command_error(-ENOMEM, "out of memory");
    r = check(&o, dirs, o.plan.to && *o.plan.to ? &plan : NULL, &p, &e);
    json_decref(p.checks);
    if (r < 0)
        return command_fail(r, &e);
    return p.worst == FINDING_FAIL ? fault_find(-FAULT_CHECK)->exit_code : 0;
}

const struct command CMD_CHECK = {
    .name = "check",
    .args = "[DIR...] [--to URL]",
    .summary = "check store, folders and machine for what keeps evidence from being found or stored",
    .text = "Prints a line for each check, with ok, warn or fail in front, and what to do about it. The store: dns, "
            "tcp, tls, clock (compared with the store's Date), credentials (where they were found, never the secret), "
            "bucket, permissions: it puts a small object, heads it, reads it back and deletes it, and begins and "
            "aborts a multipart upload. Each DIR, a folder to be watched: read and write permission, the users whose "
            "files can be read, leases, inotify, disk space, the state folder. This machine: limits of inotify, "
            "visible cgroups, the kernel log, ptrace.\n\n"
            "Run it where salvage will run: in the same container, as the same user. A warning names what will not "
            "work, and does not change the exit code. If a check fails the exit code is 60.",
    .examples = "salvage check\n"
                "    this machine, and the store that SALVAGE_TO names\n"
                "salvage check /dumps --to s3://evidence/prod\n"
                "    what a watch of /dumps needs\n"
                "kubectl exec POD -c salvage -- salvage check /dumps\n"
                "    in a sidecar that has SALVAGE_TO\n"
                "salvage check --json | jq -r '.checks[] | select(.result == \"fail\") | .text'\n"
                "    what has failed, for a script\n",
    .options = CHECK_OPTIONS,
    .run = run,
};
