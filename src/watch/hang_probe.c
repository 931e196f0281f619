/* SPDX-License-Identifier: Apache-2.0
 *
 * The child inherits none of our descriptors: it may live longer than we do, and a lock is held as long as one of its
 * descriptors is open.
 */
#include "watch/hang_probe.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { NAMES_SIZE = 4096 };

/* Opening a folder and reading its first names makes a request to the server, whatever the kernel has cached. */
static _Noreturn void ask(const char *path)
{
    char names[NAMES_SIZE];
    sigset_t none;
    int fd;

    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_range(0, ~0U, 0);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        syscall(SYS_getdents64, fd, names, sizeof(names));
    _exit(0);
}

/* Signals stay blocked until the child has its own handlers: ours would write to our loop. */
static pid_t start(const char *path)
{
    sigset_t all, before;
    pid_t child;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    child = fork();
    if (child == 0)
        ask(path);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return child > 0 ? child : 0;
}

static bool has_answered(struct hang_ask *a)
{
    if (a->child && waitpid(a->child, NULL, WNOHANG) != 0)
        a->child = 0;
    return !a->child;
}

static struct hang_ask *find(struct hang_probe *p, uint64_t dev)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->ask[i].dev == dev)
            return &p->ask[i];
    return NULL;
}

struct visit {
    struct hang_probe *probe;
    uint64_t logged; /* the file system whose change was logged */
};

static void begin(void *ctx, struct folder *f)
{
    const struct visit *v = ctx;
    struct hang_probe *p = v->probe;

    if (!f->network || find(p, f->dev) || p->count == HANG_PROBES_MAX)
        return;
    p->ask[p->count++] = (struct hang_ask){.dev = f->dev, .child = start(f->path)};
}

/* File systems that still hang stay in the table, and get no second child. */
void hang_probe_begin(struct hang_probe *p, struct source *s)
{
    struct visit v = {.probe = p};

    for (unsigned i = 0; i < p->count;)
        if (has_answered(&p->ask[i]))
            p->ask[i] = p->ask[--p->count];
        else
            i++;
    p->until_ms = clock_mono_ms() + HANG_PROBE_MS;
    source_each(s, begin, &v);
}

static void note(void *ctx, struct folder *f)
{
    struct visit *v = ctx;
    const struct hang_ask *a = f->network ? find(v->probe, f->dev) : NULL;
    bool hung = a && a->hung;

    if (f->hung == hung)
        return;
    f->hung = hung;
    v->probe->changed++;
    if (v->logged == f->dev)
        return;
    v->logged = f->dev;
    if (hung)
        log_event(EVENT_FOLDER_HUNG, LOG_STR("dir", f->path), LOG_UINT("seconds", HANG_PROBE_MS / 1000));
    else
        log_event(EVENT_FOLDER_BACK, LOG_STR("dir", f->path));
}

bool hang_probe_is_over(struct hang_probe *p, struct source *s)
{
    bool late = clock_mono_ms() >= p->until_ms;
    struct visit v = {.probe = p};
    unsigned silent = 0;

    for (unsigned i = 0; i < p->count; i++) {
        struct hang_ask *a = &p->ask[i];

        a->hung = !has_answered(a);
        silent += a->hung;
        if (a->hung && late)
            kill(a->child, SIGKILL); /* ends the child if the server has not read the request yet */
    }
    if (silent > 0 && !late)
        return false;
    p->changed = 0;
    source_each(s, note, &v);
    return true;
}
