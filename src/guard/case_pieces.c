/* SPDX-License-Identifier: Apache-2.0
 *
 * In the order of --do. A piece that fails is reported, and the next one is made.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "guard/case_pieces.h"
#include "guard/memstats.h"
#include "guard/response_name.h"
#include "hotspot/diagnostics.h"
#include "linux/memcg.h"
#include "linux/shell.h"
#include "net/secretenv.h"
#include "ship/heapdump_capture.h"
#include "ship/http_in_container.h"

enum { IN_MEMORY_MAX = 256 * 1024 * 1024 /* for one answer or one output */, IN_MEMORY_LEAST = 4 * 1024 * 1024 };

bool case_is_small(const struct action *a)
{
    return a->kind != ACTION_HEAP_DUMP && a->kind != ACTION_CORE;
}

static int make_stats(struct case_run *c, int fd, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {0};
    int r;

    if ((r = memstats_read("/proc", &c->proc, c->config->request->cgroup, &text, e)) < 0)
        return r;
    r = file_write(fd, text.data, text.size);
    return r < 0 ? err_set(e, r, "no room in memory: %s", strerror(-r)) : 0;
}

/* A watch of its folder ships what the process writes then. Without a handler the signal would end the process. */
static int send_signal(struct case_run *c, int number, struct err *e)
{
    struct proc_status now;
    int pid = (int)c->proc.pid;

    if (proc_status(&c->proc, &now) < 0)
        return err_set(e, -ESRCH, "process %d has ended", pid);
    if (!(now.caught & UINT64_C(1) << (number - 1)))
        return err_set(e, -FAULT_REFUSED, "process %d has no handler for SIG%s: it would end", pid,
                       sigabbrev_np(number));
    return kill(c->proc.pid, number) == 0
               ? 0
               : err_set(e, -errno, "process %d: SIG%s: %s", pid, sigabbrev_np(number), strerror(errno));
}

/* Pieces in memory count against our own cgroup: use at most half of what it has left. */
static uint64_t room_in_memory(void)
{
    CLEANUP(memcg_done) struct memcg cgroup = MEMCG_NONE;
    CLEANUP(proc_done) struct proc self = PROC_NONE;
    struct memcg_sample sample = {.room = UINT64_MAX};

    if (proc_open("/proc", getpid(), &self) < 0 || memcg_open(&self, &cgroup, NULL) < 0 ||
        memcg_sample(&cgroup, clock_mono_ms(), &sample) < 0 || sample.room / 2 > IN_MEMORY_MAX)
        return IN_MEMORY_MAX;
    return sample.room / 2 > IN_MEMORY_LEAST ? sample.room / 2 : IN_MEMORY_LEAST;
}

static int fetch(struct case_run *c, const struct action *a, int fd, struct err *e)
{
    struct http_in_container f = {.url = a->argument,
                                  .ca_file = c->config->plan->ca_file,
                                  .proc = &c->proc,
                                  .limit_ms = a->limit_ms,
                                  .ceiling = room_in_memory()};

    return http_in_container_get(&f, fd, e);
}

static int run_command(struct case_run *c, const struct action *a, int fd, struct err *e)
{
    char pid[16];
    const char *const variables[][2] = {{"SALVAGE_PID", pid},
                                        {"SALVAGE_TARGET", c->config->request->target},
                                        {"SALVAGE_WHY", c->config->request->why},
                                        {"SALVAGE_CASE", c->shipping.shared_case->id}};
    CLEANUP(strv_done) struct strv environment = {0};
    struct shell s = {.command = a->argument,
                      .variables = variables,
                      .variable_count = ARRAY_SIZE(variables),
                      .limit_ms = a->limit_ms,
                      .ceiling = room_in_memory()};

    snprintf(pid, sizeof(pid), "%d", (int)c->proc.pid);
    if (secretenv_without(environ, SECRETENV_ALL, c->config->pass_env->item, c->config->pass_env->count, &environment) <
        0)
        return err_set(e, -ENOMEM, "out of memory");
    s.environment = environment.item;
    return shell_to_file(&s, fd, e);
}

static int ask_jvm(const struct case_run *c, const char *diagnostic, uint64_t limit_ms, struct piece *p, struct err *e)
{
    struct jvm_request request = {.jvm = &c->jvm,
                                  .diagnostic = diagnostic,
                                  .timeout_ms = limit_ms,
                                  .answer_max = room_in_memory(),
                                  .until_ms = clock_mono_ms() + limit_ms};

    return answer_to_file(&request, p->fd, &p->pause, e);
}

static int make_piece(struct case_run *c, const struct action *a, struct piece *p, struct err *e)
{
    switch (a->kind) {
    case ACTION_STATS:
        return make_stats(c, p->fd, e);
    case ACTION_THREADS:
        return ask_jvm(c, DIAGNOSTIC_THREADS_LOCKS, a->limit_ms, p, e);
    case ACTION_HISTOGRAM:
        return ask_jvm(c, DIAGNOSTIC_HISTOGRAM, a->limit_ms, p, e);
    case ACTION_NATIVE:
        return ask_jvm(c, DIAGNOSTIC_NATIVE_MEMORY, a->limit_ms, p, e);
    case ACTION_GET:
        return fetch(c, a, p->fd, e);
    case ACTION_EXEC:
        return run_command(c, a, p->fd, e);
    case ACTION_HEAP_DUMP:
    case ACTION_CORE:
    case ACTION_SIGNAL:
    case ACTION_KINDS:
        break;
    }
    return err_set(e, -FAULT_USAGE, "not a small piece");
}

static bool needs_jvm(const struct action *a)
{
    return a->kind == ACTION_THREADS || a->kind == ACTION_HISTOGRAM || a->kind == ACTION_NATIVE;
}

static bool needs_process(const struct action *a)
{
    return a->kind == ACTION_GET || a->kind == ACTION_EXEC;
}

/* The same action may be given twice: threads.txt, threads-2.txt. */
static void name_piece(struct case_run *c, unsigned i)
{
    const struct action *a = &c->config->actions->item[i];
    const char *suffix = a->kind == ACTION_STATS ? "json" : "txt";
    unsigned before = 0;

    for (unsigned k = 0; k < i; k++)
        before += c->config->actions->item[k].kind == a->kind;
    if (before)
        snprintf(c->piece[i].name, sizeof(c->piece[i].name), "%s-%u.%s", ACTION_WORDS[a->kind].name, before + 1,
                 suffix);
    else
        snprintf(c->piece[i].name, sizeof(c->piece[i].name), "%s.%s", ACTION_WORDS[a->kind].name, suffix);
}

static bool is_taken(const struct case_run *c, unsigned i)
{
    for (unsigned k = 0; k < i; k++)
        if (c->piece[k].fd >= 0 && text_eq(c->piece[k].name, c->piece[i].name))
            return true;
    return false;
}

/* Names the answer by its URL and its first bytes: heap.pprof, heap-2.pprof. */
static void name_answer(struct case_run *c, unsigned i)
{
    char head[64], name[RESPONSE_NAME_MAX];
    ssize_t n = file_pread(c->piece[i].fd, head, sizeof(head), 0);
    int stem;

    response_name(c->config->actions->item[i].argument, head, n < 0 ? 0 : (size_t)n, name);
    stem = (int)strcspn(name, ".");
    memcpy(c->piece[i].name, name, sizeof(name));
    for (unsigned k = 2; is_taken(c, i); k++)
        snprintf(c->piece[i].name, sizeof(c->piece[i].name), "%.*s-%u%s", stem, name, k, name + stem);
}

/* The output of a command is kept even if the command failed. */
static bool is_kept(const struct case_run *c, unsigned i, int r)
{
    struct stat st;

    if (c->config->actions->item[i].kind != ACTION_EXEC)
        return r == 0;
    return fstat(c->piece[i].fd, &st) == 0 && st.st_size > 0;
}

static void make_one(struct case_run *c, unsigned i)
{
    const struct action *a = &c->config->actions->item[i];
    struct piece *p = &c->piece[i];
    struct err e = {0};
    int r;

    name_piece(c, i);
    if ((needs_jvm(a) && !c->is_jvm) || (needs_process(a) && c->proc.fd < 0)) {
        case_report_missed(c, p->name, -FAULT_FORMAT, &c->no_jvm);
        return;
    }
    p->fd = memfd_create(p->name, MFD_CLOEXEC);
    if (p->fd < 0) {
        case_report_missed(c, p->name, err_set(&e, -errno, "no file in memory: %s", strerror(errno)), &e);
        return;
    }
    r = make_piece(c, a, p, &e);
    if (r < 0)
        case_report_missed(c, a->kind == ACTION_GET ? ACTION_WORDS[a->kind].name : p->name, r, &e);
    if (!is_kept(c, i, r))
        close(TAKE_FD(p->fd));
    else if (a->kind == ACTION_GET)
        name_answer(c, i);
}

void case_pieces_make(struct case_run *c)
{
    for (unsigned i = 0; i < c->config->actions->count; i++) {
        const struct action *a = &c->config->actions->item[i];
        struct err e = {0};
        int r;

        c->piece[i].fd = -1;
        if (a->kind == ACTION_SIGNAL && (r = send_signal(c, a->signal, &e)) < 0)
            case_report_missed(c, "signal", r, &e);
        else if (case_is_small(a) && a->kind != ACTION_SIGNAL)
            make_one(c, i);
    }
}
