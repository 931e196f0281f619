/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage oom: OOM kills from the kernel log or a saved log. Changes nothing and sends no request; names of pods
 * come from the environment of their processes.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "linux/interrupt.h"
#include "oom/oom_file.h"
#include "oom/oom_log_reader.h"

struct oom_options {
    bool follow, json, tasks;
};

static const struct opt OPTIONS[] = {
    {OPT_FLAG, 'f', "follow", NULL, NULL, offsetof(struct oom_options, follow),
     "new kills, as they happen, until SIGINT or SIGTERM"},
    {OPT_FLAG, 't', "tasks", NULL, NULL, offsetof(struct oom_options, tasks),
     "for each kill also the processes that the kernel chose from"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct oom_options, json),
     "all facts, as in docs/oom-kill.md: an array; with --follow one object per line"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static const struct table_column COLUMNS[] = {{"TIME", TABLE_LEFT},      {"PID", TABLE_RIGHT},   {"UID", TABLE_RIGHT},
                                              {"RSS", TABLE_RIGHT},      {"LIMIT", TABLE_RIGHT}, {"WHY", TABLE_LEFT},
                                              {"CONTAINER", TABLE_LEFT}, {"POD", TABLE_LEFT},    {"NAME", TABLE_LEFT}};

static const struct table_column TASK_COLUMNS[] = {{"", TABLE_LEFT},     {"PID", TABLE_RIGHT},  {"UID", TABLE_RIGHT},
                                                   {"RSS", TABLE_RIGHT}, {"SWAP", TABLE_RIGHT}, {"ADJ", TABLE_RIGHT},
                                                   {"NAME", TABLE_LEFT}};

enum { SHORT_ID = 12, FIELD_MAX = 300, STDIN_WAIT_MS = 200 };

/* One run of the command. */
struct listing {
    const struct oom_options *o;
    struct oom_log_reader oom_log;
    struct whoami self;
    struct table table;
    size_t count;
};

/* --- for people -----------------------------------------------------------------------------------------------------
 */

static int add_number(struct table *t, uint64_t n)
{
    char text[24] = "-";

    if (n != OOMKILL_UNKNOWN)
        snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
    return table_add(t, text);
}

/* "1.4G": one word, so that columns can be cut. */
static int add_size(struct table *t, uint64_t bytes)
{
    char text[TEXT_SIZE_MAX], *blank;

    if (bytes == OOMKILL_UNKNOWN)
        return table_add(t, "-");
    text_format_size(bytes, text);
    if ((blank = strchr(text, ' '))) {
        blank[0] = blank[1];
        blank[1] = '\0';
    }
    return table_add(t, text);
}

static int add_text(struct table *t, const char *text)
{
    char out[FIELD_MAX];

    return table_add(t, *text ? text_printable(text, out, sizeof(out)) : "-");
}

static int add_pod(struct table *t, const struct oomkill *k)
{
    char text[sizeof(k->where.namespace) + sizeof(k->where.pod) + 1];

    if (!*k->where.pod)
        return add_text(t, k->where.pod_uid);
    snprintf(text, sizeof(text), "%s%s%s", k->where.namespace, *k->where.namespace ? "/" : "", k->where.pod);
    return add_text(t, text);
}

/* A saved log may have only the time since boot, or none. */
static const char *time_text(const struct oomkill *k, char text[CLOCK_TEXT_MAX])
{
    if (k->time_ns != 0)
        return clock_format(k->time_ns, text);
    if (k->kernel.usec == OOMKILL_UNKNOWN)
        return "-";
    snprintf(text, CLOCK_TEXT_MAX, "+%llu.%03llus", (unsigned long long)k->kernel.usec / 1000000,
             (unsigned long long)k->kernel.usec / 1000 % 1000);
    return text;
}

static int add_row(struct table *t, const struct oomkill *k)
{
    const char *place = *k->where.container_id ? k->where.container_id : text_base_name(k->task_cgroup);
    int most = *k->where.container_id ? SHORT_ID : FIELD_MAX;
    char text[CLOCK_TEXT_MAX], id[FIELD_MAX + 1];
    int r;

    snprintf(id, sizeof(id), "%.*s", most, place);
    if ((r = table_add(t, time_text(k, text))) < 0 || (r = add_number(t, k->process.pid)) < 0 ||
        (r = add_number(t, k->process.uid)) < 0 || (r = add_size(t, k->process.rss)) < 0 ||
        (r = add_size(t, *k->limit_cgroup ? k->memory.limit : k->ram)) < 0 ||
        (r = add_text(t, k->why ? k->why : "")) < 0 || (r = add_text(t, id)) < 0 || (r = add_pod(t, k)) < 0)
        return r;
    return add_text(t, k->process.name);
}

static int add_task(struct table *t, const struct oomkill_process *p)
{
    char adj[16] = "-";
    int r;

    if (p->oom_score_adj != OOMKILL_NO_SCORE)
        snprintf(adj, sizeof(adj), "%d", p->oom_score_adj);
    if ((r = table_add(t, "  ")) < 0 || (r = add_number(t, p->pid)) < 0 || (r = add_number(t, p->uid)) < 0 ||
        (r = add_size(t, p->rss)) < 0 || (r = add_size(t, p->swap)) < 0 || (r = table_add(t, adj)) < 0)
        return r;
    return add_text(t, p->name);
}

static int write_out(const char *text, size_t size, struct err *e)
{
    int r = file_write(STDOUT_FILENO, text, size);

    return r < 0 ? err_set(e, r, "writing to stdout failed: %s", strerror(-r)) : 0;
}

static int write_table(struct table *t, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {0};
    int r = table_print(t, table_colours(), &text);

    return r < 0 ? err_set(e, r, "out of memory") : write_out(text.data, text.size, e);
}

static int write_tasks(const struct oomkill *k, struct err *e)
{
    CLEANUP(table_done) struct table t = {.columns = TASK_COLUMNS, .count = ARRAY_SIZE(TASK_COLUMNS)};

    for (unsigned i = 0; i < k->task_count; i++)
        if (add_task(&t, &k->task[i]) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    return k->task_count > 0 ? write_table(&t, e) : 0;
}

/* A separate table for each kill, as the next one may come at any time. */
static int show_one(const struct listing *l, const struct oomkill *k, struct err *e)
{
    CLEANUP(table_done) struct table t = {.columns = COLUMNS, .count = ARRAY_SIZE(COLUMNS)};
    int r;

    if (add_row(&t, k) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    r = write_table(&t, e);
    return r == 0 && l->o->tasks ? write_tasks(k, e) : r;
}

/* --- for programs ---------------------------------------------------------------------------------------------------
 */

static int write_object(const struct listing *l, const struct oomkill *k, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {0};
    int r = l->o->follow ? 0 : buf_add_text(&text, l->count == 0 ? "[\n" : ",\n");

    if (r == 0)
        r = oomkill_encode(k, !l->o->follow, &text);
    if (r < 0)
        return err_set(e, r, "out of memory");
    return write_out(text.data, l->o->follow ? text.size : text.size - 1, e);
}

/* --- the log --------------------------------------------------------------------------------------------------------
 */

static int show(struct listing *l, const struct oomkill *k, struct err *e)
{
    int r;

    if (l->o->json)
        r = write_object(l, k, e);
    else if (l->o->follow || l->o->tasks)
        r = show_one(l, k, e);
    else
        r = add_row(&l->table, k) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
    l->count++;
    return r;
}

/* Shows all kills of the log so far. all: also one of which more lines may follow. */
static int show_all(struct listing *l, bool all, struct err *e)
{
    struct oomkill *k;
    int r = 0;

    while (r == 0 && !interrupt_caught() && (r = oom_log_reader_next(&l->oom_log, clock_mono_ms(), all, &k, e)) > 0)
        r = show(l, k, e);
    return r;
}

/* Waits for new records or a signal. Signals are blocked between the check and ppoll, so that none is missed. */
static int wait_for_records(const struct listing *l, struct err *e)
{
    struct pollfd log = {.fd = l->oom_log.log.fd, .events = POLLIN};
    uint64_t due_ms = oom_log_reader_due_ms(&l->oom_log), now_ms = clock_mono_ms();
    struct timespec rest = {.tv_nsec = due_ms > now_ms ? (long)(due_ms - now_ms) % 1000 * 1000 * 1000 : 0};
    sigset_t ours, before;
    int r = 0;

    sigemptyset(&ours);
    sigaddset(&ours, SIGHUP);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &before);
    if (!interrupt_caught() && ppoll(&log, 1, due_ms == UINT64_MAX ? NULL : &rest, &before) < 0 && errno != EINTR)
        r = err_set(e, -errno, "waiting for the kernel log failed: %m");
    sigprocmask(SIG_SETMASK, &before, NULL);
    return r;
}

static int follow(struct listing *l, struct err *e)
{
    struct oomkill *k;
    int r = 0;

    interrupt_catch();
    while (r == 0 && !interrupt_caught() && (r = show_all(l, false, e)) == 0)
        r = wait_for_records(l, e);
    /* The last kill, which waited for further lines. */
    if (r == 0 && (r = oom_log_reader_next(&l->oom_log, clock_mono_ms(), true, &k, e)) > 0)
        r = show(l, k, e);
    return r;
}

static int show_saved(void *ctx, struct oomkill *k, struct err *e)
{
    return show(ctx, k, e);
}

static int read_files(struct listing *l, char *const *files, struct err *e)
{
    int r = 0;

    for (; r == 0 && *files; files++)
        r = oom_file_read(*files, show_saved, l, e);
    return r;
}

/* files: NULL for this machine's log. */
static int list(struct listing *l, char *const *files, struct err *e)
{
    int r = files ? read_files(l, files, e) : show_all(l, true, e);

    if (r == 0 && l->o->json)
        r = write_out(l->count > 0 ? "\n]\n" : "[]\n", 3, e);
    else if (r == 0 && l->table.cells.count > 0)
        r = write_table(&l->table, e);
    if (r == 0 && l->count == 0)
        fprintf(stderr, "salvage: no OOM kill in %s\n", files ? "the given log" : "the kernel log");
    return r;
}

/* --- the command ----------------------------------------------------------------------------------------------------
 */

static void listing_done(struct listing *l)
{
    oom_log_reader_done(&l->oom_log);
    whoami_done(&l->self);
    table_done(&l->table);
}

static int begin(struct listing *l, struct err *e)
{
    int r = whoami_get("/", &l->self, e);

    if (r < 0)
        return r;
    return oom_log_reader_open(&l->oom_log, &l->self, !l->o->follow, e);
}

/* Whether data was piped or redirected to us, as in "dmesg | salvage oom". An empty pipe, a terminal, and /dev/null
 * have none. */
static bool stdin_has_data(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    struct stat st;
    int size = 0;

    if (fstat(STDIN_FILENO, &st) < 0)
        return false;
    if (S_ISREG(st.st_mode))
        return lseek(STDIN_FILENO, 0, SEEK_CUR) < st.st_size;
    return S_ISFIFO(st.st_mode) && poll(&in, 1, STDIN_WAIT_MS) > 0 && ioctl(STDIN_FILENO, FIONREAD, &size) == 0 &&
           size > 0;
}

static int check(const struct oom_options *o, char *const *files, struct err *e)
{
    if (files && o->follow)
        return err_set(e, -FAULT_USAGE, "oom: --follow reads this machine's log, it can't have a FILE");
    if (!files && stdin_has_data())
        return err_set(e, -FAULT_USAGE,
                       "oom: stdin is not read unless '-' is given: '... | salvage oom -'; for this machine's log, "
                       "'salvage oom </dev/null'");
    return 0;
}

static int run(int argc, char **argv)
{
    struct oom_options o = {0};
    CLEANUP(listing_done)
    struct listing l = {
        .o = &o, .oom_log = OOM_LOG_READER_NONE, .table = {.columns = COLUMNS, .count = ARRAY_SIZE(COLUMNS)}};
    CLEANUP_FREE char **operands = NULL;
    struct err e = {0};
    int r = opt_parse(OPTIONS, &(struct opt_argv){argc, argv}, &o, &operands, &e);

    char *const *files = r > 0 ? operands : NULL;

    if (r >= 0)
        r = check(&o, files, &e);
    if (r == 0 && !files)
        r = begin(&l, &e);
    if (r == 0)
        r = o.follow ? follow(&l, &e) : list(&l, files, &e);
    if (r < 0)
        return command_fail(r, &e);
    if (l.oom_log.lost && isatty(STDERR_FILENO))
        fprintf(stderr, "salvage: a part of the kernel log was overwritten before it could be read\n");
    return 0;
}

const struct command CMD_OOM = {
    .name = "oom",
    .args = "[FILE...|-]",
    .summary = "which processes the kernel has killed because memory ran out, and why",
    .text =
        "Lists the OOM kills that are still in the kernel log, of all containers. RSS is the memory of the process, "
        "LIMIT what it could not exceed. WHY: \"limit\" is the limit of its own cgroup, \"parent-limit\" that of a "
        "cgroup further up (a pod's, say), \"machine\" the machine's memory. CONTAINER and POD come from the cgroup's "
        "path (its last part, if that is no container's id); the name of a pod is known while one of its processes "
        "runs, else its UID is shown. \"-\" is unknown. Process ids are the host's.\n\n"
        "FILE is a saved log, \"-\" one on stdin: from dmesg (with any of its options), journalctl (also -o json), a "
        "syslog daemon, a serial console, vmcore-dmesg, or pasted text; of any machine, from Linux 2.6.32 on. Wrapped "
        "lines are joined, boots are separated, and lines of other programs are ignored. A date without a time zone "
        "is in this machine's (TZ), one without a year is the last one that is not in the future; \"+12.345s\" is "
        "since boot.\n\n"
        "Without FILE, reading the log takes root or CAP_SYSLOG. The log has a limited size, and is lost when the "
        "machine stops: --follow shows each kill within a moment.",
    .examples = "salvage oom\n"
                "    all of them, the oldest first\n"
                "salvage oom --tasks\n"
                "    with the other processes\n"
                "ssh node7 dmesg | salvage oom -\n"
                "    kills on another machine\n"
                "salvage oom --json /var/log/messages\n"
                "    from a saved log, for programs\n"
                "salvage oom --follow --json | jq -c '{time, why, process, where}'\n"
                "    as they happen\n",
    .options = OPTIONS,
    .run = run,
};
