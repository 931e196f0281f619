/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads /proc/PID of a process that stands in the kernel's coredump.
 */
#include "node/crash_facts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "linux/proc_cgroup.h"
#include "place/container.h"

enum { SMALL = 64 * 1024, CLOCK_SLACK_S = 2 };

void crash_facts_done(struct crash_facts *f)
{
    if (f->proc.fd >= 0)
        proc_done(&f->proc);
    free(f->cgroup);
    *f = (struct crash_facts){.proc = PROC_NONE};
}

static void read_name(int folder, const char *file, char ret[CRASH_NAME_MAX])
{
    CLEANUP(buf_done) struct buf text = {.ceiling = 256};

    if (file_load(folder, file, &text) == 0)
        snprintf(ret, CRASH_NAME_MAX, "%.*s", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
}

/* The process of a pidfd: "Pid:" in its fdinfo; -1 once it has been reaped. */
static bool is_of_pidfd(int pidfd, pid_t pid)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = SMALL};
    const char *number;
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
    if (file_load(AT_FDCWD, path, &text) < 0 || !(number = text_behind(buf_text(&text), "Pid:")))
        return true; /* this is no pidfd: the other signs count */
    return strtol(number, NULL, 10) == (long)pid;
}

/* Whether it is the process that the kernel means. */
static bool is_the_one(const struct crash *c, const struct crash_facts *f, const char *status)
{
    const char *dumping = text_behind(status, "CoreDumping:");

    if (c->pidfd >= 0 && !is_of_pidfd(c->pidfd, c->pid))
        return false;
    if (dumping)
        return strtol(dumping, NULL, 10) == 1;
    return f->started_ns == 0 || c->time_ns == 0 || f->started_ns <= c->time_ns + CLOCK_SLACK_S * 1000000000LL;
}

static bool differs(const char *status, const char *field)
{
    const char *at = text_behind(status, field);
    char *end;
    unsigned long first = at ? strtoul(at, &end, 10) : 0, other;

    for (int i = 0; at && i < 2; i++) {
        other = strtoul(end, &end, 10);
        if (other != first)
            return true;
    }
    return false;
}

static void read_command(struct crash_facts *f)
{
    CLEANUP(proc_words_done) struct proc_words words = {0};
    size_t at = 0;

    if (proc_words(&f->proc, "cmdline", &words) < 0)
        return;
    for (size_t i = 0; i < words.count && at < CRASH_COMMAND_MAX - 1; i++) {
        int n = snprintf(f->command + at, CRASH_COMMAND_MAX - at, "%s%s", i > 0 ? " " : "", words.word[i]);

        at += n > 0 ? (size_t)n : 0;
    }
}

/* A container that restarts has another cgroup each time, and one may make cgroups below its own. */
static void read_owner(struct crash_facts *f)
{
    char pod[PODUID_MAX], container[CONTAINERID_MAX];

    if (container_pod(f->proc.fd, pod))
        snprintf(f->owner, sizeof(f->owner), "pod %s", pod);
    else if (container_of_cgroup(f->proc.fd, container))
        snprintf(f->owner, sizeof(f->owner), "container %s", container);
    else
        snprintf(f->owner, sizeof(f->owner), "%s", f->cgroup);
}

int crash_facts_read(const char *proc_root, const struct crash *c, struct crash_facts *ret, struct err *e)
{
    CLEANUP(crash_facts_done) struct crash_facts f = {.proc = PROC_NONE};
    CLEANUP(buf_done) struct buf status = {.ceiling = SMALL};
    char thread[64];
    bool v2;
    int r = proc_open(proc_root, c->pid, &f.proc);

    if (r == 0)
        r = file_load(f.proc.fd, "status", &status);
    if (r == 0)
        r = proc_status(&f.proc, &f.status);
    if (r < 0)
        return err_set(e, -ESRCH, "process %d has gone: %s", (int)c->pid, strerror(-r));
    if (proc_started(&f.proc, &f.started_ns) < 0)
        f.started_ns = 0;
    if (!is_the_one(c, &f, buf_text(&status)))
        return err_set(e, -ESRCH, "process %d is another one by now: the one that crashed has gone", (int)c->pid);
    read_name(f.proc.fd, "comm", f.name);
    snprintf(thread, sizeof(thread), "task/%d/comm", (int)c->tid);
    read_name(f.proc.fd, thread, f.thread);
    read_command(&f);
    if (!(f.cgroup = proc_memory_cgroup(f.proc.fd, &v2)) && !(f.cgroup = strdup("")))
        return err_set(e, -ENOMEM, "out of memory");
    read_owner(&f);
    f.sensitive = c->dumpable != 1 || differs(buf_text(&status), "Uid:") || differs(buf_text(&status), "Gid:");
    *ret = f;
    f = (struct crash_facts){.proc = PROC_NONE};
    return 0;
}
