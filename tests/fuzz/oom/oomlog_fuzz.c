/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the kernel log: records parted by 0xff. Two at once are a gap. Each kill is written as JSON.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "oom/oomlog.h"

enum { PAGE = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_process(const struct oomkill_process *p)
{
    assert(memchr(p->name, '\0', sizeof(p->name)));
}

static void check(const struct oomkill *k)
{
    CLEANUP(buf_done) struct buf json = {0};

    if (!k)
        return;
    assert(k->source && k->process.pid != OOMKILL_UNKNOWN && k->kernel.usec != OOMKILL_UNKNOWN);
    assert(k->stat_count <= OOMKILL_STATS_MAX && k->task_count <= OOMKILL_TASKS_MAX && k->task_count <= k->task_total);
    assert(k->group.count <= OOMKILL_GROUP_MAX && k->group.count <= k->group.total);
    assert(strlen(k->task_cgroup) < OOMKILL_PATH_MAX && strlen(k->limit_cgroup) < OOMKILL_PATH_MAX);
    check_process(&k->process);
    for (unsigned i = 0; i < k->task_count; i++)
        check_process(&k->task[i]);
    assert(oomkill_encode(k, false, &json) == 0);
    assert(memchr(json.data, '\n', json.size) == json.data + json.size - 1);
}

/* The same bytes as a memory.stat. */
static void add_stats(const uint8_t *data, size_t size)
{
    static struct oomkill k;
    char text[4096];

    size = size < sizeof(text) ? size : sizeof(text) - 1;
    memcpy(text, data, size);
    text[size] = '\0';
    oomkill_init(&k);
    oomkill_add_stats(&k, text);
    assert(k.stat_count <= OOMKILL_STATS_MAX);
    for (unsigned i = 0; i < k.stat_count; i++)
        assert(*k.stat[i].name && strlen(k.stat[i].name) < OOMKILL_STAT_NAME_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kmsgrecord r; /* 8 KiB */
    struct oomlog *l = oomlog_new(PAGE);
    const char *at = (const char *)data, *end = at + size;

    assert(l);
    add_stats(data, size);
    while (at < end) {
        const char *stop = memchr(at, 0xff, (size_t)(end - at));
        size_t length = stop ? (size_t)(stop - at) : (size_t)(end - at);

        if (length == 0)
            check(oomlog_gap(l));
        else if (kmsgrecord_parse(at, length, &r) == 0)
            check(oomlog_feed(l, &r));
        at += length + 1;
    }
    check(oomlog_flush(l));
    assert(!oomlog_waits(l));
    oomlog_free(l);
    return 0;
}
