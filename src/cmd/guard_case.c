/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage guard-case: one case of a guard. Not for people. Small evidence is made first, all of it, and shipped by a
 * process of its own while the JVM writes its heap dump: who is about to be killed has no time for a store.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/dumpspeed.h"
#include "agent/fetch.h"
#include "agent/memstats.h"
#include "agent/shell.h"
#include "agent/surroundings.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/coring.h"
#include "cmd/dumping.h"
#include "cmd/guard.h"
#include "format/answername.h"
#include "os/largest.h"
#include "os/memcg.h"

enum {
    QUICK_MS = 100,                    /* at most, for registers and stacks alone */
    ANOTHER_TRIES = 5,                 /* processes may end as fast as they are found */
    IN_MEMORY_MAX = 256 * 1024 * 1024, /* of an answer or an output */
    IN_MEMORY_LEAST = 4 * 1024 * 1024
};

/* argv: guard-case PID NAME WHY ID TIME ABOUT SPEED CGROUP NAMESPACE POD CONTAINER HOST, then guard's own. PID 0: no
 * process was there; HOST "": it is not known who it was. */
enum {
    ARG_PID = 1,
    ARG_NAME,
    ARG_WHY,
    ARG_ID,
    ARG_TIME,
    ARG_ABOUT,
    ARG_SPEED,
    ARG_CGROUP,
    ARG_NAMESPACE,
    ARG_POD,
    ARG_CONTAINER,
    ARG_HOST,
    ARG_REST
};

/* A piece of evidence in memory. */
struct piece {
    char name[40];
    int fd; /* -1: it could not be made */
    struct pause pause;
};

struct guard_case {
    const struct guard_options *o;
    struct actions actions;
    struct proc proc;   /* fd -1: it has ended, and there is no other */
    int cgroup;         /* its folder; -1: not known */
    struct whoami last; /* who it was, borrowed; host NULL: not known */
    struct whoami its;  /* what the evidence is shipped as; owned */
    struct proc_status status;
    struct jvm jvm;
    bool is_jvm;
    bool given;        /* by --pid: that process, and no other */
    struct err no_jvm; /* why it is none */
    struct shipping shipping;
    struct shipping_case its_case; /* the guard knows it, too: for the record of a kill */
    struct piece piece[ACTION_MAX];
    const char *name, *why;
    const char *about; /* what the guard says of the case, JSON */
    int speed;         /* for dumpspeed_tell; -1: nobody wants to know */
    int exit_code;
};

static void fail(struct guard_case *c, const char *what, int r, const struct err *e)
{
    const struct fault_info *fault = fault_find(r);

    log_event(EVENT_GUARD_MISSED, LOG_STR("target", c->name), LOG_STR("piece", what), LOG_STR("fault", fault->name),
              LOG_STR("error", e->msg));
    c->exit_code = c->exit_code ? c->exit_code : fault->exit_code;
}

/* --- the small ones -------------------------------------------------------------------------------------------------
 */

static int make_stats(struct guard_case *c, int fd, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {0};
    int r;

    if ((r = memstats_gather("/proc", &c->proc, c->cgroup, &text, e)) < 0)
        return r;
    r = file_write(fd, text.data, text.size);
    return r < 0 ? err_set(e, r, "no room in memory: %s", strerror(-r)) : 0;
}

/* What it writes then, a watch of its folder ships. Without a handler a signal would end it. */
static int send_signal(struct guard_case *c, int number, struct err *e)
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

/* What is kept in memory is ours, and not to be the end of us: no more than half of what our own cgroup has left. */
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

static int fetch(struct guard_case *c, const struct action *a, int fd, struct err *e)
{
    struct fetch f = {.url = a->argument,
                      .ca_file = c->o->plan.ca_file,
                      .eyes = &c->proc,
                      .limit_ms = a->limit_ms,
                      .ceiling = room_in_memory()};

    return fetch_to_file(&f, fd, e);
}

static int run_command(struct guard_case *c, const struct action *a, int fd, struct err *e)
{
    char pid[16];
    const char *const variables[][2] = {{"SALVAGE_PID", pid},
                                        {"SALVAGE_TARGET", c->name},
                                        {"SALVAGE_WHY", c->why},
                                        {"SALVAGE_CASE", c->shipping.its_case->id}};
    struct shell s = {.command = a->argument,
                      .variables = variables,
                      .variable_count = ARRAY_SIZE(variables),
                      .limit_ms = a->limit_ms,
                      .ceiling = room_in_memory()};

    snprintf(pid, sizeof(pid), "%d", (int)c->proc.pid);
    return shell_to_file(&s, fd, e);
}

static int make_piece(struct guard_case *c, const struct action *a, struct piece *p, struct err *e)
{
    struct dump_options o = {
        .timeout_ms = a->limit_ms, .until_ms = clock_mono_ms() + a->limit_ms, .most = room_in_memory()};

    switch (a->kind) {
    case ACTION_STATS:
        return make_stats(c, p->fd, e);
    case ACTION_THREADS:
        return answer_to_file(&c->jvm, "Thread.print -l", p->fd, &o, &p->pause, e);
    case ACTION_HISTOGRAM:
        return answer_to_file(&c->jvm, "GC.class_histogram -all", p->fd, &o, &p->pause, e);
    case ACTION_NATIVE:
        return answer_to_file(&c->jvm, "VM.native_memory summary", p->fd, &o, &p->pause, e);
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
    return err_set(e, -FAULT_USAGE, "no small piece");
}

static bool is_small(const struct action *a)
{
    return a->kind != ACTION_HEAP_DUMP && a->kind != ACTION_CORE;
}

static bool needs_jvm(const struct action *a)
{
    return a->kind == ACTION_THREADS || a->kind == ACTION_HISTOGRAM || a->kind == ACTION_NATIVE;
}

static bool needs_process(const struct action *a)
{
    return a->kind == ACTION_GET || a->kind == ACTION_EXEC;
}

/* The same action may stand there twice: threads.txt, threads-2.txt. */
static void name_piece(struct guard_case *c, unsigned i)
{
    const struct action *a = &c->actions.item[i];
    const char *suffix = a->kind == ACTION_STATS ? "json" : "txt";
    unsigned before = 0;

    for (unsigned k = 0; k < i; k++)
        before += c->actions.item[k].kind == a->kind;
    if (before)
        snprintf(c->piece[i].name, sizeof(c->piece[i].name), "%s-%u.%s", ACTION_WORDS[a->kind].name, before + 1,
                 suffix);
    else
        snprintf(c->piece[i].name, sizeof(c->piece[i].name), "%s.%s", ACTION_WORDS[a->kind].name, suffix);
}

static bool is_taken(const struct guard_case *c, unsigned i)
{
    for (unsigned k = 0; k < i; k++)
        if (c->piece[k].fd >= 0 && text_eq(c->piece[k].name, c->piece[i].name))
            return true;
    return false;
}

/* By its URL and its first bytes: heap.pprof, heap-2.pprof. */
static void name_answer(struct guard_case *c, unsigned i)
{
    char head[64], name[ANSWERNAME_MAX];
    ssize_t n = file_pread(c->piece[i].fd, head, sizeof(head), 0);
    int stem;

    answername(c->actions.item[i].argument, head, n < 0 ? 0 : (size_t)n, name);
    stem = (int)strcspn(name, ".");
    memcpy(c->piece[i].name, name, sizeof(name));
    for (unsigned k = 2; is_taken(c, i); k++)
        snprintf(c->piece[i].name, sizeof(c->piece[i].name), "%.*s-%u%s", stem, name, k, name + stem);
}

/* What a command wrote before it failed is as good as any. */
static bool is_kept(const struct guard_case *c, unsigned i, int r)
{
    struct stat st;

    if (c->actions.item[i].kind != ACTION_EXEC)
        return r == 0;
    return fstat(c->piece[i].fd, &st) == 0 && st.st_size > 0;
}

static void make_one(struct guard_case *c, unsigned i)
{
    const struct action *a = &c->actions.item[i];
    struct piece *p = &c->piece[i];
    struct err e = {0};
    int r;

    name_piece(c, i);
    if ((needs_jvm(a) && !c->is_jvm) || (needs_process(a) && c->proc.fd < 0)) {
        fail(c, p->name, -FAULT_FORMAT, &c->no_jvm);
        return;
    }
    p->fd = memfd_create(p->name, MFD_CLOEXEC);
    if (p->fd < 0) {
        fail(c, p->name, err_set(&e, -errno, "no file in memory: %s", strerror(errno)), &e);
        return;
    }
    r = make_piece(c, a, p, &e);
    if (r < 0)
        fail(c, a->kind == ACTION_GET ? ACTION_WORDS[a->kind].name : p->name, r, &e);
    if (!is_kept(c, i, r))
        close(TAKE_FD(p->fd));
    else if (a->kind == ACTION_GET)
        name_answer(c, i);
}

static void make_small(struct guard_case *c)
{
    for (unsigned i = 0; i < c->actions.count; i++) {
        const struct action *a = &c->actions.item[i];
        struct err e = {0};
        int r;

        c->piece[i].fd = -1;
        if (a->kind == ACTION_SIGNAL && (r = send_signal(c, a->signal, &e)) < 0)
            fail(c, "signal", r, &e);
        else if (is_small(a) && a->kind != ACTION_SIGNAL)
            make_one(c, i);
    }
}

/* What the guard saw and did. */
static void ship_about(struct guard_case *c)
{
    static const char name[] = "guard.json";
    CLEANUP_FD int fd = memfd_create(name, MFD_CLOEXEC);
    struct err e = {0};
    int r = fd < 0 ? -errno : file_write(fd, c->about, strlen(c->about));

    r = r < 0 ? err_set(&e, r, "no room in memory: %s", strerror(-r))
              : shipping_held(&c->shipping, fd, -1, name, name, &e);
    if (r < 0)
        fail(c, name, r, &e);
}

static void ship_small(struct guard_case *c)
{
    /* Files in memory are not resumed; and their claim would be in the way of the dump's, as all are one case. */
    c->shipping.state = NULL;
    for (unsigned i = 0; i < c->actions.count; i++) {
        struct err e = {0};
        int r;

        if (c->piece[i].fd < 0)
            continue;
        c->shipping.pause = c->piece[i].pause;
        r = shipping_held(&c->shipping, c->piece[i].fd, -1, c->piece[i].name, c->piece[i].name, &e);
        if (r < 0)
            fail(c, c->piece[i].name, r, &e);
    }
    c->shipping.pause = (struct pause){.by = PAUSE_UNKNOWN};
    ship_about(c);
}

/* --- the large ones -------------------------------------------------------------------------------------------------
 */

static int make_heap_dump(struct guard_case *c, const struct action *a, struct err *e)
{
    struct dumped made = {0};
    struct dump_options o = {.live = a->live, .folder = c->o->dir, .timeout_ms = a->limit_ms, .made = &made};
    int r;

    if (!c->is_jvm) {
        *e = c->no_jvm;
        return -FAULT_FORMAT;
    }
    o.until_ms = clock_mono_ms() + a->limit_ms;
    r = dump_to_store(&c->jvm, &o, &c->shipping, e);
    dumpspeed_tell(c->speed, made.size, made.took_ms);
    return r;
}

/* For as long as is agreed it stands still, and can't reach its limit either; what is left then is copied while it
 * runs. */
static int make_core(struct guard_case *c, const struct action *a, struct err *e)
{
    struct snapshot_options o = {.quick = a->pause_ms == 0, .at_most_ms = a->pause_ms ? a->pause_ms : QUICK_MS};
    struct snapshot told;

    return core_to_store(&c->proc, &o, &c->shipping, &told, e);
}

static void make_large(struct guard_case *c)
{
    for (unsigned i = 0; i < c->actions.count; i++) {
        const struct action *a = &c->actions.item[i];
        struct err e = {0};
        int r;

        if (is_small(a))
            continue;
        if (c->proc.fd < 0) {
            e = c->no_jvm;
            r = -ESRCH;
        } else {
            r = a->kind == ACTION_CORE ? make_core(c, a, &e) : make_heap_dump(c, a, &e);
        }
        if (r < 0)
            fail(c, ACTION_WORDS[a->kind].name, r, &e);
    }
}

static bool wants_large(const struct guard_case *c)
{
    for (unsigned i = 0; i < c->actions.count; i++)
        if (!is_small(&c->actions.item[i]))
            return true;
    return false;
}

static void take_all(struct guard_case *c)
{
    pid_t child = -1;
    int status = 0;

    make_small(c);
    if (wants_large(c))
        child = fork();
    if (child <= 0)
        ship_small(c);
    if (child == 0)
        _exit(c->exit_code);
    make_large(c);
    if (child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        c->exit_code = c->exit_code ? c->exit_code : WEXITSTATUS(status);
}

static void guard_case_done(struct guard_case *c)
{
    sink_close(c->shipping.sink);
    proc_done(&c->proc);
    jvm_done(&c->jvm);
    whoami_done(&c->its);
}

static int open_process(struct guard_case *c, pid_t pid)
{
    int r = proc_open("/proc", pid, &c->proc);

    if (r == 0 && ((r = proc_status(&c->proc, &c->status)) < 0 || c->status.state == 'Z' || c->status.state == 'X')) {
        proc_done(&c->proc);
        r = -ESRCH;
    }
    return r;
}

/* The kernel's numbers of its cgroup are worth a case without it, and so is whoever is the largest by now. */
static int open_victim(struct guard_case *c, pid_t pid, struct err *e)
{
    int r = open_process(c, pid);

    for (unsigned i = 0; r < 0 && i < ANOTHER_TRIES && c->cgroup >= 0 && !c->given; i++) {
        pid = largest_process(c->cgroup);
        r = pid ? open_process(c, pid) : -ESRCH;
    }
    if (r == 0) {
        c->is_jvm = jvm_open("/proc", pid, &c->jvm, &c->no_jvm) == 0;
        return 0;
    }
    err_set(&c->no_jvm, -ESRCH, "process %d has ended before its evidence could be taken", (int)pid);
    return c->cgroup >= 0 ? 0 : (*e = c->no_jvm, r);
}

/* What is shipped is of the pod that the guard saw last. */
static int name_the_ended(struct guard_case *c)
{
    static const struct facts nothing;
    int r;

    c->shipping.pid = 0;
    if (!c->last.host || text_eq(c->last.host, c->shipping.who->host))
        return 0;
    if ((r = whoami_for(c->shipping.who, &c->last, &c->its)) < 0)
        return r;
    c->shipping.who = &c->its;
    c->shipping.facts = &nothing;
    return 0;
}

static int run_case(struct guard_case *c, pid_t pid, struct err *e)
{
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP(facts_done) struct facts facts = {0};
    int r;

    /* The process first: what we are and what the store is can be asked when it is dead. */
    if ((r = open_victim(c, pid, e)) < 0)
        return r;
    if ((r = plan_init(&plan, &c->o->plan, e)) < 0)
        return r;
    plan.sink.notice = NULL; /* the guard has it said, once (agent/storecheck.h) */
    if ((r = whoami_get("/", &who, e)) < 0)
        return r;
    c->shipping = (struct shipping){.plan = &plan,
                                    .who = &who,
                                    .facts = &facts,
                                    .state = c->o->plan.state,
                                    .cause = "pressure",
                                    .logs = true,
                                    .its_case = &c->its_case,
                                    .pid = (uint64_t)c->status.inner_pid,
                                    .uid = c->status.uid,
                                    .jvm = c->jvm.version,
                                    .command = c->jvm.command};
    if (c->proc.fd >= 0)
        dump_whose_process(&c->proc, &c->shipping, &c->its);
    else if ((r = name_the_ended(c)) < 0)
        return err_set(e, r, "out of memory");
    take_all(c);
    return 0;
}

static char *known(char *text)
{
    return *text ? text : NULL;
}

static int run(int argc, char **argv)
{
    struct guard_options o = {0};
    CLEANUP(guard_case_done) struct guard_case c = {.o = &o, .proc = PROC_NONE, .jvm = JVM_NONE};
    struct err e = {0};
    uint64_t pid, time_ns, speed, cgroup;
    int r;

    if (argc < ARG_REST || text_parse_uint(argv[ARG_PID], INT_MAX, &pid) < 0 ||
        text_parse_uint(argv[ARG_TIME], INT64_MAX, &time_ns) < 0 ||
        text_parse_uint(argv[ARG_SPEED], INT_MAX, &speed) < 0 ||
        text_parse_uint(argv[ARG_CGROUP], INT_MAX, &cgroup) < 0 || strlen(argv[ARG_ID]) >= sizeof(c.its_case.id))
        return command_error(-FAULT_USAGE, "guard-case: guard starts it");
    c.name = argv[ARG_NAME];
    memcpy(c.its_case.id, argv[ARG_ID], strlen(argv[ARG_ID]) + 1);
    c.its_case.time_ns = (int64_t)time_ns;
    c.why = argv[ARG_WHY];
    c.about = argv[ARG_ABOUT];
    c.speed = speed ? (int)speed : -1;
    fcntl(c.speed, F_SETFD, FD_CLOEXEC);
    c.cgroup = (int)cgroup;
    fcntl(c.cgroup, F_SETFD, FD_CLOEXEC);
    c.last = (struct whoami){.namespace = known(argv[ARG_NAMESPACE]),
                             .pod = known(argv[ARG_POD]),
                             .container = known(argv[ARG_CONTAINER]),
                             .host = known(argv[ARG_HOST])};
    argv[ARG_REST - 1] = argv[0];
    if ((r = guard_parse(argc - ARG_REST + 1, argv + ARG_REST - 1, &o, &e)) < 0 ||
        (r = guard_actions(&o, &c.actions, &e)) < 0)
        return command_fail(r, &e);
    log_set_format((enum log_format)o.plan.log);
    for (unsigned i = 0; i < o.pids.count; i++)
        c.given = c.given || text_eq(o.pids.item[i], argv[ARG_PID]);
    if ((r = run_case(&c, (pid_t)pid, &e)) < 0)
        fail(&c, "all", r, &e);
    return c.exit_code;
}

const struct command CMD_GUARD_CASE = {
    .name = "guard-case",
    .args = "",
    .summary = "one case of a guard",
    .hidden = true,
    .run = run,
};
