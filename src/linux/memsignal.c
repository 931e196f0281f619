/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kinds share: v1's registration (Linux Documentation/admin-guide/cgroup-v1/memory.rst), counters compared.
 */
#include "linux/memsignal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/file.h"
#include "base/mem.h"

const struct memsignal_ops *const MEMSIGNALS[] = {
    &MEMSIGNAL_V1_USAGE, &MEMSIGNAL_V1_PRESSURE, &MEMSIGNAL_V1_OOM, &MEMSIGNAL_V2_EVENTS, &MEMSIGNAL_PSI, NULL,
};

int memsignal_open(const struct memsignal_ops *ops, const struct memcg *m, const struct memsignal_want *w,
                   struct memsignal *ret, struct err *e)
{
    CLEANUP(memsignal_done) struct memsignal s = {.ops = ops, .memcg = m, .fd = -1};
    int r;

    assert(ops && m->fd >= 0);
    if (m->v2 ? !ops->v2 : !ops->v1)
        return err_set(e, -EOPNOTSUPP, "cgroup %s has none", m->v2 ? "v2" : "v1");
    if ((r = ops->open(&s, w, e)) < 0)
        return r;
    *ret = s;
    s.fd = -1;
    return 0;
}

int memsignal_read(struct memsignal *s, struct memsignal_event *ret)
{
    assert(s->ops && s->memcg);
    struct memsignal_event event = {0};
    int r = s->ops->read(s, &event);

    if (r < 0 && r != -ENODEV)
        return r;
    if (r == -ENODEV || memcg_is_gone(s->memcg))
        event = (struct memsignal_event){.what = MEMSIGNAL_GONE}; /* all eventfds fire at its removal */
    *ret = event;
    return 0;
}

void memsignal_done(struct memsignal *s)
{
    mem_close_ptr(&s->fd);
    *s = (struct memsignal)MEMSIGNAL_NONE;
}

static int add_result(struct buf *ret, bool works, const char *name, const char *why, struct buf *bad)
{
    return works ? buf_printf(ret, "%s%s", ret->size ? " " : "", name)
                 : buf_printf(bad, "%s%s (%s)", bad->size ? ", " : "; not ", name, why);
}

int memsignal_survey(const struct memcg *m, struct buf *ret)
{
    static const struct memsignal_want harmless = {
        .usage_bytes = INT64_MAX / 2,
        .level = MEMSIGNAL_CRITICAL,
        .full = true,
        .stall_us = 1000 * 1000,
        .window_us = 1000 * 1000,
    };
    CLEANUP(buf_done) struct buf good = {0}, bad = {0};
    int works = 0, r = 0;

    for (unsigned i = 0; MEMSIGNALS[i] && r == 0; i++) {
        CLEANUP(memsignal_done) struct memsignal s = MEMSIGNAL_NONE;
        struct err why = {0};

        if (m->v2 ? !MEMSIGNALS[i]->v2 : !MEMSIGNALS[i]->v1)
            continue;
        r = memsignal_open(MEMSIGNALS[i], m, &harmless, &s, &why);
        works |= r == 0 ? 1 << i : 0;
        r = add_result(&good, r == 0, MEMSIGNALS[i]->name, why.msg, &bad);
    }
    if (r == 0)
        r = buf_printf(ret, "%s%s", good.size ? buf_text(&good) : "none", buf_text(&bad));
    return r < 0 ? r : works;
}

int memsignal_eventfd(struct memsignal *s, const char *file, const char *argument, struct err *e)
{
    CLEANUP_FD int control = openat(s->memcg->fd, "cgroup.event_control", O_WRONLY | O_CLOEXEC);
    CLEANUP_FD int target = -1, event = -1;
    char line[96];
    int r;

    if (control < 0)
        return err_set(e, -errno, "cgroup.event_control: %s", strerror(errno));
    target = openat(s->memcg->fd, file, O_RDONLY | O_CLOEXEC);
    if (target < 0)
        return err_set(e, -errno, "%s: %s", file, strerror(errno));
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0)
        return err_set(e, -errno, "eventfd: %s", strerror(errno));
    snprintf(line, sizeof(line), "%d %d %s", event, target, argument);
    if ((r = file_write(control, line, strlen(line))) < 0)
        return err_set(e, r, "cgroup.event_control, for %s: %s", file, strerror(-r));
    s->fd = TAKE_FD(event);
    s->poll_events = POLLIN;
    return 0;
}

uint64_t memsignal_drain(const struct memsignal *s)
{
    uint64_t count = 0;

    return file_read(s->fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

/* A counter that fell belongs to a new cgroup. */
static uint64_t rise(uint64_t before, uint64_t now)
{
    return now > before ? now - before : 0;
}

void memsignal_compare(struct memsignal *s, const struct cgroup_events *now, struct memsignal_event *ret)
{
    const struct cgroup_events *before = &s->seen;

    ret->rose = (struct cgroup_events){
        .low = rise(before->low, now->low),
        .high = rise(before->high, now->high),
        .max = rise(before->max, now->max),
        .oom = rise(before->oom, now->oom),
        .oom_kill = rise(before->oom_kill, now->oom_kill),
        .oom_group_kill = rise(before->oom_group_kill, now->oom_group_kill),
        .under_oom = now->under_oom,
        .oom_kill_disable = now->oom_kill_disable,
    };
    ret->what |= (ret->rose.high ? MEMSIGNAL_HIGH : 0) | (ret->rose.max ? MEMSIGNAL_MAX : 0) |
                 (ret->rose.oom ? MEMSIGNAL_OOM : 0) | (ret->rose.oom_kill ? MEMSIGNAL_OOM_KILL : 0) |
                 (now->under_oom ? MEMSIGNAL_UNDER_OOM : 0);
    s->seen = *now;
}
