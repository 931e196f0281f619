/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm ps: lists the visible JVMs, without attaching to them.
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/jvm.h"
#include "hotspot/jvm_find.h"
#include "hotspot/jvm_info.h"

struct ps_options {
    bool full, arguments, jvm_arguments, json;
};

static const struct opt PS_OPTIONS[] = {
    {OPT_FLAG, 'l', "long", NULL, NULL, offsetof(struct ps_options, full),
     "print the class with its package, the jar with its path"},
    {OPT_FLAG, 'm', "arguments", NULL, NULL, offsetof(struct ps_options, arguments), "the application's arguments"},
    {OPT_FLAG, 'v', "jvm-arguments", NULL, NULL, offsetof(struct ps_options, jvm_arguments), "the JVM's arguments"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct ps_options, json),
     "print an array of objects with all facts; sizes in bytes"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static const struct table_column COLUMNS[] = {{"PID", TABLE_RIGHT}, {"INNER", TABLE_RIGHT}, {"UID", TABLE_RIGHT},
                                              {"JDK", TABLE_LEFT},  {"GC", TABLE_LEFT},     {"USED", TABLE_RIGHT},
                                              {"MAX", TABLE_RIGHT}, {"IN", TABLE_LEFT},     {"CLASS", TABLE_LEFT}};

enum { SHORT_ID = 12, SHOWN_MAX = 1024 * 1024 * 1024 };

/* The table or JSON array being built. */
struct listing {
    const struct ps_options *o;
    struct table table;
    json_t *array; /* NULL: a table */
    size_t count;
};

static int add_number(struct table *t, int64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)n);
    return table_add(t, text);
}

/* "1.4G": one word, so that columns can be cut. */
static int add_size(struct table *t, int64_t bytes)
{
    char text[TEXT_SIZE_MAX], *blank;

    if (bytes < 0)
        return table_add(t, "-");
    text_format_size((uint64_t)bytes, text);
    if ((blank = strchr(text, ' '))) {
        blank[0] = blank[1];
        blank[1] = '\0';
    }
    return table_add(t, text);
}

/* The pod, else the container. */
static int add_place(struct table *t, const struct jvm_info *a)
{
    char id[SHORT_ID + 1];

    if (a->pod)
        return table_add(t, a->pod);
    snprintf(id, sizeof(id), "%.*s", SHORT_ID, a->container);
    return table_add(t, *id ? id : "-");
}

/* Like jps: "CLASS ARGUMENTS JVM-ARGUMENTS"; for an unknown class the reason. */
static int add_command(struct table *t, const struct ps_options *o, const struct jvm_info *a)
{
    CLEANUP(buf_done) struct buf b = {0};
    int r = buf_add_text(&b, o->full && a->main_class ? a->main_class : jvm_info_short_name(a));

    if (r == 0 && o->arguments && a->arguments && *a->arguments)
        r = buf_printf(&b, " %s", a->arguments);
    if (r == 0 && o->jvm_arguments && a->jvm_arguments && *a->jvm_arguments)
        r = buf_printf(&b, " %s", a->jvm_arguments);
    if (r == 0 && !a->main_class && a->note)
        r = buf_printf(&b, " -- %s", a->note);
    return r < 0 ? r : table_add(t, buf_text(&b));
}

static int add_row(struct table *t, const struct ps_options *o, const struct jvm_info *a)
{
    int r;

    if ((r = add_number(t, a->pid)) < 0 || (r = add_number(t, a->inner_pid)) < 0 || (r = add_number(t, a->uid)) < 0 ||
        (r = table_add(t, a->version ? a->version : "-")) < 0 ||
        (r = table_add(t, a->heap.collector ? a->heap.collector : "-")) < 0 || (r = add_size(t, a->heap.used)) < 0 ||
        (r = add_size(t, a->heap.max)) < 0 || (r = add_place(t, a)) < 0)
        return r;
    return add_command(t, o, a);
}

static json_t *text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static json_t *size_or_null(int64_t n)
{
    return n < 0 ? json_null() : json_integer(n);
}

static int add_object(json_t *array, const struct jvm_info *a)
{
    char started[CLOCK_TEXT_MAX];
    json_t *o = json_pack("{si si sI so so so so so so so so so so so so so so so so}", "pid", (int)a->pid, "inner_pid",
                          (int)a->inner_pid, "uid", (json_int_t)a->uid, "started",
                          text_or_null(a->started_ns ? clock_format(a->started_ns, started) : NULL), "main_class",
                          text_or_null(a->main_class), "arguments", text_or_null(a->arguments), "jvm_arguments",
                          text_or_null(a->jvm_arguments), "jvm_flags", text_or_null(a->jvm_flags), "java_version",
                          text_or_null(a->version), "vm_version", text_or_null(a->vm_version), "vm_name",
                          text_or_null(a->vm_name), "collector", text_or_null(a->heap.collector), "heap_used",
                          size_or_null(a->heap.used), "heap_max", size_or_null(a->heap.max), "container",
                          text_or_null(a->container), "namespace", text_or_null(a->namespace), "pod",
                          text_or_null(a->pod), "host", text_or_null(a->host), "note", text_or_null(a->note));

    return o && json_array_append_new(array, o) == 0 ? 0 : -ENOMEM;
}

static int add(struct listing *l, const struct jvm_info *a, struct err *e)
{
    int r = l->array ? add_object(l->array, a) : add_row(&l->table, l->o, a);

    l->count++;
    return r < 0 ? err_set(e, r, "out of memory") : 0;
}

/* JVMs that end meanwhile, or can't be inspected, are skipped. */
static int add_found(struct listing *l, struct jvm_pids *found, struct err *e)
{
    for (size_t i = 0; i < found->count; i++) {
        CLEANUP(jvm_info_done) struct jvm_info a = {0};
        int r = jvm_info_read("/proc", found->pid[i], &a, e);

        if (r == -EACCES)
            found->hidden++;
        if (r == 0)
            r = add(l, &a, e);
        if (r == -ENOMEM)
            return r;
    }
    return 0;
}

/* An operand that is not a JVM is an error; the others are listed nevertheless. */
static int add_named(struct listing *l, char *const *operands, struct err *e)
{
    int result = 0;

    for (; *operands; operands++) {
        CLEANUP(jvm_info_done) struct jvm_info a = {0};
        struct err why;
        uint64_t pid;
        int r;

        if (text_parse_uint(*operands, INT_MAX, &pid) < 0 || pid == 0)
            return err_set(e, -FAULT_USAGE, "jvm ps: '%s' is not a process id", *operands);
        if ((r = jvm_info_read("/proc", (pid_t)pid, &a, &why)) == 0)
            r = add(l, &a, &why);
        if (r < 0 && result < 0)
            command_fail(result, e);
        if (r < 0) {
            result = r;
            *e = why;
        }
    }
    return result;
}

static int print(const struct listing *l, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = SHOWN_MAX};
    CLEANUP_FREE char *json = NULL;
    int r;

    if (l->array) {
        json = json_dumps(l->array, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        r = json ? buf_printf(&text, "%s\n", json) : -ENOMEM;
    } else {
        r = l->count > 0 ? table_print(&l->table, table_colours(), &text) : 0;
    }
    if (r < 0)
        return err_set(e, r, "out of memory");
    return text.size > 0 ? jvm_write(text.data, text.size, e) : 0;
}

/* Without privileges some processes can never be inspected: reported if nothing was found, or on a terminal. */
static void report_hidden(const struct listing *l, size_t hidden)
{
    if (l->count == 0)
        fprintf(stderr, "salvage: no JVM found");
    else if (hidden > 0 && isatty(STDERR_FILENO))
        fprintf(stderr, "salvage: there may be more JVMs");
    else
        return;
    if (hidden > 0)
        fprintf(stderr, ": %zu process%s of other users could not be inspected (%s)", hidden, hidden == 1 ? "" : "es",
                geteuid() == 0 ? "CAP_SYS_PTRACE is missing" : "run as root");
    fprintf(stderr, "\n");
}

static int list(struct listing *l, char *const *operands, struct err *e)
{
    CLEANUP(jvm_pids_done) struct jvm_pids found = {0};
    int r, failed = *operands ? add_named(l, operands, e) : jvm_find("/proc", &found, e);
    struct err why;

    if (failed == 0 && !*operands)
        failed = add_found(l, &found, e);
    if (failed < 0 && l->count == 0)
        return failed;
    if ((r = print(l, &why)) < 0) {
        *e = why;
        return r;
    }
    if (!*operands)
        report_hidden(l, found.hidden);
    return failed;
}

static void listing_done(struct listing *l)
{
    table_done(&l->table);
    json_decref(l->array);
}

static int run(int argc, char **argv)
{
    struct ps_options o = {0};
    CLEANUP(listing_done) struct listing l = {.o = &o, .table = {.columns = COLUMNS, .count = ARRAY_SIZE(COLUMNS)}};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(PS_OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    if (r >= 0 && o.json && !(l.array = json_array()))
        r = err_set(&e, -ENOMEM, "out of memory");
    if (r < 0 || (r = list(&l, operands, &e)) < 0)
        return command_fail(r, &e);
    return 0;
}

const struct command CMD_JVM_PS = {
    .name = "jvm ps",
    .args = "[PID...]",
    .summary = "list the JVMs that are visible from here",
    .text = "Like the JDK's jps, but as root for all users, containers and namespaces. INNER is the process id in the "
            "JVM's container. USED and MAX are the heap's; depending on JDK and collector USED is current, up to 50 ms "
            "old, or from the last collection. IN is the pod, else the container. \"-\" means unknown: less is known "
            "of a JVM with -XX:-UsePerfData. Does not attach to JVMs.\n\n"
            "Arguments may contain passwords: check before you share them.",
    .examples = "salvage jvm ps\n"
                "    all of them\n"
                "salvage jvm ps -lmv 7\n"
                "    process 7, with the package of its class and all arguments\n"
                "salvage jvm ps --json | jq -r '.[] | select(.heap_used > .heap_max * 0.9).pid'\n"
                "    those with a heap that is nearly full\n",
    .options = PS_OPTIONS,
    .run = run,
};
