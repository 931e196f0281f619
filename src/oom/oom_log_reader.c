/* SPDX-License-Identifier: Apache-2.0
 *
 * Joins the kernel log with the names of running containers.
 */
#include "oom/oom_log_reader.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "linux/bootid.h"

/* The lines of a kill follow within microseconds, over a serial console within milliseconds. */
enum { SETTLE_MS = 20, GROUP_SETTLE_MS = 500 /* after the last record */ };

int oom_log_reader_open(struct oom_log_reader *w, const struct whoami *self, bool oldest, struct err *e)
{
    assert(self);
    *w = (struct oom_log_reader)OOM_LOG_READER_NONE;
    w->self = self;
    w->scan_once = oldest;
    uname(&w->kernel);
    if (bootid_read(w->boot_id) < 0)
        w->boot_id[0] = '\0';
    if (!(w->kills = oomlog_new((uint64_t)sysconf(_SC_PAGESIZE))))
        return err_set(e, -ENOMEM, "out of memory");
    return kmsg_open("/dev/kmsg", oldest, &w->log, e);
}

void oom_log_reader_done(struct oom_log_reader *w)
{
    kmsg_done(&w->log);
    oomlog_free(w->kills);
    container_names_done(&w->containers);
    w->kills = NULL;
}

void oom_log_reader_name(struct oom_log_reader *w, struct oomkill *k)
{
    CLEANUP(whoami_done) struct whoami who = {0};

    oomkill_set(k->where.host, sizeof(k->where.host), w->self->node ? w->self->node : w->self->host);
    oomkill_set(k->kernel.release, sizeof(k->kernel.release), w->kernel.release);
    oomkill_set(k->kernel.boot_id, sizeof(k->kernel.boot_id), w->boot_id);
    if (*k->where.pod || (!*k->where.container_id && !*k->where.pod_uid))
        return;
    if (!w->scanned || !w->scan_once) {
        container_names_done(&w->containers);
        w->scanned = container_names_scan("/proc", &w->containers) == 0;
    }
    if (container_names_find(&w->containers, "/proc", k->where.container_id, k->where.pod_uid, &who) < 0)
        return;
    oomkill_set(k->where.namespace, sizeof(k->where.namespace), who.namespace);
    oomkill_set(k->where.pod, sizeof(k->where.pod), who.pod);
    oomkill_set(k->where.container, sizeof(k->where.container), who.container);
}

/* The next complete kill of the log so far. */
static int read_log(struct oom_log_reader *w, struct oomkill **ret, struct err *e)
{
    struct kmsgrecord record;
    int more;

    *ret = NULL;
    w->has_read = false;
    while (!*ret && w->log.fd >= 0 && (more = kmsg_read(&w->log, &record)) != 0) {
        if (more < 0 && more != -EPIPE)
            return err_set(e, more, "reading the kernel log failed: %s", strerror(-more));
        w->has_read = true;
        *ret = more > 0 ? oomlog_feed(w->kills, &record) : oomlog_gap(w->kills);
        w->lost |= more < 0;
    }
    return 0;
}

int oom_log_reader_next(struct oom_log_reader *w, uint64_t now_ms, bool all, struct oomkill **ret, struct err *e)
{
    int r = read_log(w, ret, e);

    if (r < 0)
        return r;
    if (*ret || !oomlog_waits(w->kills))
        w->waits = false;
    if (oomlog_waits(w->kills) && !w->waits) {
        w->waits = true;
        w->due_ms = now_ms + SETTLE_MS;
    }
    if (w->waits && w->has_read && oomlog_in_group(w->kills))
        w->due_ms = now_ms + GROUP_SETTLE_MS;
    if (!*ret && w->waits && (all || now_ms >= w->due_ms)) {
        *ret = oomlog_flush(w->kills);
        w->waits = false;
    }
    if (!*ret)
        return 0;
    (*ret)->time_ns = kmsg_wall_ns(&w->log, (*ret)->kernel.usec);
    oom_log_reader_name(w, *ret);
    return 1;
}

uint64_t oom_log_reader_due_ms(const struct oom_log_reader *w)
{
    return w->waits ? w->due_ms : UINT64_MAX;
}
