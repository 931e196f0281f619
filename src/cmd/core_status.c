/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage core status: what the kernel does with cores, and what became of the last ones.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/core_options.h"
#include "node/core_home.h"
#include "node/core_kernel.h"
#include "node/core_server.h"

struct status_options {
    const char *dir;
    bool json;
};

static const struct opt OPTIONS[] = {
    {OPT_STRING, 0, "dir", "DIR", CORE_HOME_DEFAULT, offsetof(struct status_options, dir), "as of install"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct status_options, json), "as JSON"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

enum { PROBLEMS_MAX = 8 };

struct core_status {
    const char *dir;
    struct core_kernel kernel;
    struct core_config config;     /* empty: never installed here */
    bool installed, ours, serving; /* serving: core_pattern names the socket of core serve */
    struct core_ledger *ledger;
    struct err problem[PROBLEMS_MAX];
    unsigned problems;
};

static void status_done(struct core_status *s)
{
    core_config_done(&s->config);
    free(s->ledger);
}

__attribute__((format(printf, 2, 3))) static void add_problem(struct core_status *s, const char *format, ...)
{
    va_list args;

    assert(s->problems < PROBLEMS_MAX);
    va_start(args, format);
    err_setv(&s->problem[s->problems++], 0, format, args);
    va_end(args);
}

static const char *option_of(const struct core_status *s, const char *name)
{
    size_t size = strlen(name);

    for (size_t k = 0; k < s->config.sets; k++)
        for (size_t i = 0; i < s->config.set[k].arguments.count; i++)
            if (strncmp(s->config.set[k].arguments.item[i], name, size) == 0)
                return s->config.set[k].arguments.item[i] + size;
    return NULL;
}

static void find_problems(struct core_status *s, int home)
{
    const struct core_entry *last = &s->ledger->last[0];
    struct stat st;

    if (!s->ours)
        add_problem(s, "core_pattern is not ours: cores go elsewhere (salvage core install)");
    if (s->ours && s->kernel.pipe_limit == 0)
        add_problem(s, "core_pipe_limit is 0: the kernel does not wait for the handler (salvage core install)");
    if (fstatat(home, CORE_HOME_PROGRAM, &st, AT_SYMLINK_NOFOLLOW) < 0)
        add_problem(s, "%s/" CORE_HOME_PROGRAM ": %s: no core can be taken", s->dir, strerror(errno));
    if (s->ledger->count[CORE_TAKING] > core_home_slots_taken(home))
        add_problem(s, "the handler of a core was killed while it read: that core is lost");
    if (s->ledger->lasts > 0 && last->end == CORE_LOST)
        add_problem(s, "the last core was lost: %s", last->what);
}

static int gather(struct core_status *s, struct err *e)
{
    CLEANUP_FD int home = -1;
    struct err none;
    int r = core_kernel_read(core_kernel_root(), &s->kernel, e);

    if (r < 0)
        return r;
    if (!(s->ledger = calloc(1, sizeof(*s->ledger))))
        return err_set(e, -ENOMEM, "out of memory");
    home = core_home_open(s->dir, false, &none);
    r = home < 0 ? home : core_home_load(home, &s->config, &none);
    if (home >= 0)
        core_home_peek(home, s->ledger);
    if (r == -EACCES || r == -EPERM)
        return err_set(e, r, "%s", none.msg);
    s->installed = r == 0;
    s->serving = s->installed && core_server_pattern_is(s->kernel.pattern, s->dir);
    s->ours = s->serving || (s->installed && text_eq(s->kernel.pattern, s->config.ours));
    if (s->installed)
        find_problems(s, home);
    else
        add_problem(s, "salvage takes no cores here: %s (salvage core install)", none.msg);
    return 0;
}

static void print_last(const struct core_ledger *l)
{
    if (l->lasts > 0)
        printf("\n%-24s %-8s %-16s %-7s %s\n", "TIME", "PID", "COMMAND", "SIGNAL", "WHAT");
    for (unsigned i = 0; i < l->lasts; i++) {
        const struct core_entry *x = &l->last[i];
        char time[CLOCK_TEXT_MAX], command[64], what[LEDGER_TEXT];

        printf("%-24s %-8" PRIu64 " %-16s %-7s %s: %s%s\n", clock_format(x->time_ms * 1000000, time), x->pid,
               text_printable(x->command, command, sizeof(command)),
               sigabbrev_np(x->signal) ? sigabbrev_np(x->signal) : "?", core_end_name(x->end),
               text_printable(x->what, what, sizeof(what)), x->sensitive ? " (sensitive)" : "");
    }
}

static int print_text(const struct core_status *s)
{
    const char *to = option_of(s, "--to="), *spool = option_of(s, "--spool=");

    printf("core_pattern     %s%s\n", s->kernel.pattern, s->ours ? " (ours)" : "");
    printf("core_pipe_limit  %" PRIu64 "\n", s->kernel.pipe_limit);
    if (s->installed)
        printf("before           %s\nstore            %s\nspool            %s\nlog              %s/log\n",
               s->config.pattern, to ? to : "none", spool ? spool : "none", s->dir);
    printf("cores           ");
    for (int i = 0; i < CORE_END_END; i++)
        printf(" %s %" PRIu64 "%s", core_end_name((enum core_end)i), s->ledger->count[i],
               i + 1 < CORE_END_END ? "," : "\n");
    print_last(s->ledger);
    for (unsigned i = 0; i < s->problems; i++)
        printf("%sproblem: %s\n", i == 0 ? "\n" : "", s->problem[i].msg);
    return fflush(stdout) == 0 ? 0 : -EIO;
}

static json_t *last_json(const struct core_entry *x)
{
    char time[CLOCK_TEXT_MAX];

    return json_pack("{ss sI si ss sb so so so so}", "time", clock_format(x->time_ms * 1000000, time), "pid",
                     (json_int_t)x->pid, "signal", x->signal, "end", core_end_name(x->end), "sensitive", x->sensitive,
                     "command", jsonout_text(x->command, sizeof(x->command)), "place",
                     jsonout_text(x->place, LEDGER_TEXT), "cgroup", jsonout_text(x->cgroup, LEDGER_TEXT), "what",
                     jsonout_text(x->what, LEDGER_TEXT));
}

static void set_text(json_t *to, const char *name, const char *text)
{
    if (text)
        json_object_set_new(to, name, jsonout_text(text, CORE_CONFIG_MAX));
}

static int print_json(const struct core_status *s)
{
    json_auto_t *root = json_object(), *counts = json_object(), *last = json_array(), *problems = json_array();
    CLEANUP_FREE char *text = NULL;

    json_object_set_new(root, "schema", json_string("salvage.core-status/1"));
    set_text(root, "core_pattern", s->kernel.pattern);
    json_object_set_new(root, "core_pipe_limit", json_integer((json_int_t)s->kernel.pipe_limit));
    json_object_set_new(root, "installed", json_boolean(s->installed));
    json_object_set_new(root, "ours", json_boolean(s->ours));
    set_text(root, "before", s->installed ? s->config.pattern : NULL);
    set_text(root, "to", option_of(s, "--to="));
    set_text(root, "spool", option_of(s, "--spool="));
    for (int i = 0; i < CORE_END_END; i++)
        json_object_set_new(counts, core_end_name((enum core_end)i), json_integer((json_int_t)s->ledger->count[i]));
    for (unsigned i = 0; i < s->ledger->lasts; i++)
        json_array_append_new(last, last_json(&s->ledger->last[i]));
    for (unsigned i = 0; i < s->problems; i++)
        json_array_append_new(problems, jsonout_text(s->problem[i].msg, sizeof(s->problem[i].msg)));
    json_object_set(root, "counts", counts);
    json_object_set(root, "last", last);
    json_object_set(root, "problems", problems);
    text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    return text ? command_put(text) : -ENOMEM;
}

static int run(int argc, char **argv)
{
    struct status_options o = {0};
    CLEANUP(status_done) struct core_status s = {0};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r > 0)
        r = err_set(&e, -FAULT_USAGE, "core status: '%s': there are only options", operands[0]);
    s.dir = o.dir;
    if (r < 0 || (r = gather(&s, &e)) < 0)
        return command_fail(r, &e);
    if ((r = o.json ? print_json(&s) : print_text(&s)) < 0)
        return command_error(r, "cannot write to stdout: %s", strerror(-r));
    return s.problems > 0 ? fault_find(-FAULT_CHECK)->exit_code : 0;
}

const struct command CMD_CORE_STATUS = {
    .name = "core status",
    .args = "",
    .summary = "what the kernel does with cores, and what became of the last ones",
    .text =
        "Says whether core_pattern is ours, where cores go, how many were stored, spooled, lost or not read, and the "
        "last ones. The exit code is 0 if cores would be taken, and that of a failed check if there is a problem.",
    .examples = "salvage core status\n"
                "    for people\n"
                "salvage core status --json | jq .counts\n"
                "    for programs\n",
    .options = OPTIONS,
    .run = run,
};
