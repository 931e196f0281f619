/* SPDX-License-Identifier: Apache-2.0
 *
 * v2: memory.events, or memory.events.local (since Linux 5.2). POLLPRI on its descriptor, not inotify: a user has only
 * 128 inotify instances, and nodes have more containers. Reading rearms it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/file.h"
#include "linux/memsignal.h"

enum { TEXT_MAX = 4096 };

static int read_now(const struct memsignal *s, struct cgroup_events *ret)
{
    char text[TEXT_MAX];
    ssize_t n = file_pread(s->fd, text, sizeof(text) - 1, 0);

    if (n < 0)
        return (int)n;
    text[n] = '\0';
    return cgroup_events(text, ret);
}

static int open_events(struct memsignal *s, const struct memsignal_want *w, struct err *e)
{
    const char *name = w->local ? "memory.events.local" : "memory.events";
    int r;

    s->fd = openat(s->memcg->fd, name, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        return err_set(e, -errno, "%s: %s", name, strerror(errno));
    s->poll_events = POLLPRI;
    r = read_now(s, &s->seen);
    return r < 0 ? err_set(e, r, "%s: %s", name, strerror(-r)) : 0;
}

static int read_events(struct memsignal *s, struct memsignal_event *ret)
{
    struct cgroup_events now;
    int r = read_now(s, &now);

    if (r == 0)
        memsignal_compare(s, &now, ret);
    return r;
}

const struct memsignal_ops MEMSIGNAL_V2_EVENTS = {
    .name = "v2.events",
    .v2 = true,
    .open = open_events,
    .read = read_events,
};
