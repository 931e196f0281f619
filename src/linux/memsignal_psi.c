/* SPDX-License-Identifier: Apache-2.0
 *
 * PSI triggers (Linux Documentation/accounting/psi.rst, since 5.2): of the cgroup on v2, else of the machine. One
 * trigger for each descriptor, which reports at most once a window. Without CAP_SYS_RESOURCE windows must be multiples
 * of 2 s since Linux 6.5, and no trigger is allowed before: then pressure is sampled (memcg_pressure).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "linux/memsignal.h"

enum { UNPRIVILEGED_US = 2 * 1000 * 1000, WINDOW_MAX_US = 10 * 1000 * 1000 };

#define MACHINE "/proc/pressure/memory"

static int register_trigger(int fd, bool full, uint64_t stall_us, uint32_t window_us)
{
    char line[64];

    snprintf(line, sizeof(line), "%s %u %u", full ? "full" : "some", (unsigned)stall_us, (unsigned)window_us);
    /* with the NUL: the kernel overwrites the last byte with NUL */
    return file_write(fd, line, strlen(line) + 1);
}

/* The same share of a window that is allowed without privileges. */
static int register_rounded(int fd, const struct memsignal_want *w, uint32_t *ret_window_us)
{
    uint32_t window = (w->window_us + UNPRIVILEGED_US - 1) / UNPRIVILEGED_US * UNPRIVILEGED_US;

    if (w->window_us == 0 || window == w->window_us || window > WINDOW_MAX_US)
        return -EINVAL;
    *ret_window_us = window;
    return register_trigger(fd, w->full, (uint64_t)w->stall_us * window / w->window_us, window);
}

static const char *explain(int r)
{
    switch (r) {
    case -EOPNOTSUPP:
        return "PSI is switched off: psi=1 on the kernel's command line";
    case -EINVAL:
        return "the kernel does not accept this window or stall: windows are 0.5 to 10 s, and multiples of 2 s without "
               "CAP_SYS_RESOURCE";
    case -ENOENT:
        return "the kernel has no PSI";
    case -EPERM:
    case -EACCES:
        return "needs CAP_SYS_RESOURCE here";
    case -EROFS:
        return "mounted read-only";
    default:
        return strerror(-r);
    }
}

static int open_psi(struct memsignal *s, const struct memsignal_want *w, struct err *e)
{
    const char *name = s->memcg->v2 && !w->machine ? "memory.pressure" : MACHINE;
    int flags = O_RDWR | O_NONBLOCK | O_CLOEXEC, r;

    s->fd = openat(s->memcg->fd, name, flags);
    if (s->fd < 0) {
        r = -errno;
        return err_set(e, r, "%s: %s", name, explain(r));
    }
    s->poll_events = POLLPRI;
    s->window_us = w->window_us;
    r = register_trigger(s->fd, w->full, w->stall_us, w->window_us);
    if (r == -EINVAL)
        r = register_rounded(s->fd, w, &s->window_us);
    return r < 0 ? err_set(e, r, "%s: %s", name, explain(r)) : 0;
}

/* poll(2) consumes the event: there is nothing to read. */
static int read_psi(struct memsignal *s, struct memsignal_event *ret)
{
    (void)s;
    ret->what = MEMSIGNAL_STALL;
    return 0;
}

const struct memsignal_ops MEMSIGNAL_PSI = {
    .name = "psi",
    .v1 = true,
    .v2 = true,
    .open = open_psi,
    .read = read_psi,
};
