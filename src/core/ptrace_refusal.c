/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks of __ptrace_may_access (kernel/ptrace.c) and of Yama (security/yama), in the order of how often they
 * refuse.
 */
#include "core/ptrace_refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

static uint64_t yama_scope(void)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = 64};
    uint64_t scope;

    if (file_load(AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope", &text) < 0)
        return 0;
    text.data[strcspn(text.data, "\n")] = '\0';
    return text_parse_uint(text.data, 3, &scope) == 0 ? scope : 0;
}

int ptrace_refusal(const struct proc *p, struct err *e)
{
    CLEANUP(proc_done) struct proc tracer = PROC_NONE;
    CLEANUP(buf_done) struct buf name = {.ceiling = 64};
    struct proc_status status = {0};
    int pid = (int)p->pid;

    if (proc_status(p, &status) < 0 || status.state == 'Z' || status.state == 'X')
        return err_set(e, -ESRCH, "process %d has ended", pid);
    if (status.tracer > 0) {
        if (proc_open("/proc", status.tracer, &tracer) == 0 && file_load(tracer.fd, "comm", &name) == 0)
            name.data[strcspn(name.data, "\n")] = '\0';
        return err_set(
            e, -EPERM,
            "process %d is being traced by process %d (%s), and can have only one tracer: end that one first", pid,
            (int)status.tracer, *buf_text(&name) ? buf_text(&name) : "?");
    }
    if (yama_scope() == 3)
        return err_set(e, -EPERM,
                       "process %d can't be stopped: kernel.yama.ptrace_scope is 3, which forbids it to everyone", pid);
    if (geteuid() != 0 && status.uid != geteuid())
        return err_set(e, -EPERM, "process %d belongs to uid %u, and salvage runs as uid %u: run it as root", pid,
                       (unsigned)status.uid, (unsigned)geteuid());
    if (yama_scope() > 0)
        return err_set(e, -EPERM,
                       "process %d can't be stopped: kernel.yama.ptrace_scope is %" PRIu64
                       ", which requires CAP_SYS_PTRACE",
                       pid, yama_scope());
    return err_set(
        e, -EPERM,
        "process %d can't be stopped: CAP_SYS_PTRACE is required for a process that has more capabilities, is in "
        "another user namespace, or is not dumpable",
        pid);
}
