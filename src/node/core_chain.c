/* SPDX-License-Identifier: Apache-2.0
 *
 * Its arguments are made as the kernel makes them. Like the kernel's, it has an empty environment and starts in the
 * root folder.
 */
#include "node/core_chain.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rlimits.h"
#include "base/text.h"
#include "node/core_pattern.h"
#include "place/whoami.h"

enum { STATUS_MAX = 64 * 1024, PIPE_SIZE = 1024 * 1024 };

struct values {
    const struct crash *c;
    const struct crash_facts *f;
    char text[PATH_MAX];
};

/* The id of a thread in its own pid namespace: the last number of NSpid. */
static pid_t inner_tid(const struct values *v)
{
    CLEANUP(buf_done) struct buf status = {.ceiling = STATUS_MAX};
    const char *at;
    char path[64];
    long id = v->c->tid;

    snprintf(path, sizeof(path), "task/%d/status", (int)v->c->tid);
    if (file_load(v->f->proc.fd, path, &status) < 0 || !(at = text_behind(buf_text(&status), "NSpid:")))
        return v->c->tid;
    for (char *end; *at && *at != '\n'; at = end) {
        long next = strtol(at, &end, 10);

        if (end == at)
            break;
        id = next;
    }
    return (pid_t)id;
}

static void host_name(struct values *v)
{
    CLEANUP(whoami_done) struct whoami who = {0};

    if (whoami_of_process(&v->f->proc, &who) < 0 || !who.host)
        gethostname(v->text, sizeof(v->text) - 1);
    else
        snprintf(v->text, sizeof(v->text), "%s", who.host);
}

static void executable(struct values *v, bool whole)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(v->f->proc.fd, "exe", target, sizeof(target) - 1);

    if (n <= 0) {
        snprintf(v->text, sizeof(v->text), "%s", v->f->name);
        return;
    }
    target[n] = '\0';
    snprintf(v->text, sizeof(v->text), "%s", whole ? target : text_base_name(target));
    for (char *p = v->text; *p; p++)
        *p = *p == '/' ? '!' : *p;
}

static const char *value_of(void *ctx, char letter)
{
    struct values *v = ctx;
    const struct crash *c = v->c;
    uint64_t number;

    v->text[0] = '\0';
    switch (letter) {
    case 'P':
        number = (uint64_t)c->pid;
        break;
    case 'p':
        number = (uint64_t)v->f->status.inner_pid;
        break;
    case 'I':
        number = (uint64_t)c->tid;
        break;
    case 'i':
        number = (uint64_t)inner_tid(v);
        break;
    case 'u':
        number = c->uid;
        break;
    case 'g':
        number = c->gid;
        break;
    case 'd':
        number = c->dumpable;
        break;
    case 's':
        number = (uint64_t)c->signal;
        break;
    case 't':
        number = (uint64_t)(c->time_ns / 1000000000);
        break;
    case 'c':
        number = c->limit;
        break;
    case 'C':
        number = c->cpu;
        break;
    case 'h':
        host_name(v);
        return v->text;
    case 'e':
        return v->f->thread;
    case 'f':
        executable(v, false);
        return v->text;
    case 'E':
        executable(v, true);
        return v->text;
    default:
        return NULL; /* %F: it gets none */
    }
    snprintf(v->text, sizeof(v->text), "%" PRIu64, number);
    return v->text;
}

static _Noreturn void execute(const struct strv *argv, int core)
{
    static char *const NO_ENVIRONMENT[] = {NULL};

    assert(argv->item);
    if (core == STDIN_FILENO)
        fcntl(core, F_SETFD, 0);
    else if (dup2(core, STDIN_FILENO) < 0)
        _exit(127);
    if (chdir("/") == 0) {
        rlimits_restore();
        execve(argv->item[0], argv->item, NO_ENVIRONMENT);
    }
    _exit(127);
}

static int arguments(const char *pattern, const struct crash *c, const struct crash_facts *f, struct strv *ret,
                     struct err *e)
{
    CLEANUP_FREE struct values *v = calloc(1, sizeof(*v));
    int r;

    if (!v)
        return err_set(e, -ENOMEM, "out of memory");
    v->c = c;
    v->f = f;
    if ((r = core_pattern_expand(pattern, value_of, v, ret)) < 0)
        return err_set(e, r, "'%s': %s", pattern, strerror(-r));
    if (!ret->item)
        return err_set(e, -EINVAL, "'%s' names no program", pattern);
    return access(ret->item[0], X_OK) < 0 ? err_set(e, -errno, "%s: %s", ret->item[0], strerror(errno)) : 0;
}

int core_chain_start(const char *pattern, const struct crash *c, const struct crash_facts *f, int *ret_pipe,
                     struct err *e)
{
    CLEANUP(strv_done) struct strv argv = {0};
    int ends[2], r;
    pid_t child;

    *ret_pipe = -1;
    if (!core_pattern_is_pipe(pattern))
        return 0;
    if ((r = arguments(pattern, c, f, &argv, e)) < 0)
        return r;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(e, -errno, "no pipe: %s", strerror(errno));
    if ((child = fork()) == 0)
        execute(&argv, ends[0]);
    close(ends[0]);
    if (child < 0) {
        close(ends[1]);
        return err_set(e, -FAULT_NO_PROCESS, "cannot start a process for %s", pattern);
    }
    fcntl(ends[1], F_SETPIPE_SZ, (int)PIPE_SIZE);
    *ret_pipe = ends[1];
    return 0;
}

int core_chain_become(const char *pattern, const struct crash *c, const struct crash_facts *f, int core, struct err *e)
{
    CLEANUP(strv_done) struct strv argv = {0};
    int r;

    if (!core_pattern_is_pipe(pattern))
        return 0;
    if ((r = arguments(pattern, c, f, &argv, e)) < 0)
        return r;
    execute(&argv, core);
}
