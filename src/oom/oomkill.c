/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of fields (base/json_fields.h). Unknown values are left out.
 */
#include "oom/oomkill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linux/cgroup.h"

static int encode_stats(const void *at, json_t **ret);
static int encode_tasks(const void *at, json_t **ret);
static int encode_group(const void *at, json_t **ret);

#define AT(k, member) .kind = FIELD_##k, .offset = offsetof(struct oomkill, member)

const struct json_field OOMKILL_FIELDS[] = {
    {"schema", "text", "always \"" OOMKILL_SCHEMA "\"", .kind = FIELD_CONSTANT, .constant = OOMKILL_SCHEMA},
    {"source", "text", "`kernel-log`, or `counters` where only the cgroup's counters could be read", AT(TEXT, source)},
    {"time", "time", "of the kill (RFC 3339, UTC); from the log alone accurate to about a second", AT(TIME, time_ns)},
    {"why", "text",
     "what ran out: `limit` (the cgroup's own, or an unknown cgroup's), `parent-limit` (of a cgroup further up), "
     "`machine`, `cpuset`, `memory-policy`",
     AT(TEXT, why)},
    {"note", "text", "what is missing here, and why", AT(TEXT, note)},
    {"process.pid", "number", "on the host, as all pids here", AT(KNOWN, process.pid)},
    {"process.name", "text", "the process's own name for itself, at most 15 bytes", AT(CHARS, process.name)},
    {"process.uid", "number", "its real user id", AT(KNOWN, process.uid)},
    {"process.rss", "number", "resident memory, in bytes as all sizes: the sum of the next three",
     AT(KNOWN, process.rss)},
    {"process.rss_anon", "number", "heap, stacks", AT(KNOWN, process.rss_anon)},
    {"process.rss_file", "number", "file pages", AT(KNOWN, process.rss_file)},
    {"process.rss_shmem", "number", "shared memory and tmpfs", AT(KNOWN, process.rss_shmem)},
    {"process.total_vm", "number", "address space", AT(KNOWN, process.total_vm)},
    {"process.pgtables", "number", "page tables", AT(KNOWN, process.pgtables)},
    {"process.swap", "number", "in swap", AT(KNOWN, process.swap)},
    {"process.oom_score_adj", "number", "from -1000 to 1000", AT(INT, process.oom_score_adj)},
    {"cgroup.process", "text", "the process's memory cgroup", AT(CHARS, task_cgroup)},
    {"cgroup.limit", "text", "the memory cgroup whose limit was hit; left out if none was", AT(CHARS, limit_cgroup)},
    {"memory.usage", "number", "of `cgroup.limit`, at the kill", AT(KNOWN, memory.usage)},
    {"memory.limit", "number", "the limit; left out if there is none", AT(KNOWN, memory.limit)},
    {"memory.failcnt", "number", "how often the limit had been hit", AT(KNOWN, memory.failcnt)},
    {"swap.usage", "number", "the same for swap (cgroup v2)", AT(KNOWN, swap.usage)},
    {"swap.limit", "number", "", AT(KNOWN, swap.limit)},
    {"swap.failcnt", "number", "", AT(KNOWN, swap.failcnt)},
    {"memory_swap.usage", "number", "the same for memory and swap together (cgroup v1)", AT(KNOWN, memory_swap.usage)},
    {"memory_swap.limit", "number", "", AT(KNOWN, memory_swap.limit)},
    {"memory_swap.failcnt", "number", "", AT(KNOWN, memory_swap.failcnt)},
    {"kmem.usage", "number", "the same for the kernel's memory (cgroup v1)", AT(KNOWN, kmem.usage)},
    {"kmem.limit", "number", "", AT(KNOWN, kmem.limit)},
    {"kmem.failcnt", "number", "", AT(KNOWN, kmem.failcnt)},
    {"machine.ram", "number", "the machine's memory, if the machine ran out", AT(KNOWN, ram)},
    {"where.namespace", "text",
     "the pod's namespace; this and the next names come from the environment of the pod's processes, and are known "
     "while one of them runs",
     AT(CHARS, where.namespace)},
    {"where.pod", "text", "the pod's name", AT(CHARS, where.pod)},
    {"where.pod_uid", "text", "the pod's UID, from the cgroup's path", AT(CHARS, where.pod_uid)},
    {"where.container", "text", "the container's name", AT(CHARS, where.container)},
    {"where.container_id", "text", "the container's id, from the cgroup's path", AT(CHARS, where.container_id)},
    {"where.host", "text", "this machine's name", AT(CHARS, where.host)},
    {"invoker.name", "text", "the thread whose allocation failed", AT(CHARS, invoker.name)},
    {"invoker.pid", "number", "its id", AT(KNOWN, invoker.pid)},
    {"invoker.gfp", "text", "the allocation, in the kernel's words", AT(CHARS, invoker.gfp)},
    {"invoker.order", "number", "its size: 2 to the power of this, in pages; -1: the kill was requested (sysrq)",
     AT(INT, invoker.order)},
    {"invoker.oom_score_adj", "number", "", AT(INT, invoker.oom_score_adj)},
    {"group.cgroup", "text", "the cgroup that was killed as a whole (memory.oom.group)", AT(CHARS, group.cgroup)},
    {"group.count", "number", "how many processes besides the first", AT(UNSIGNED, group.total)},
    {"group.killed", "array", "these processes, with the fields of `process`; 64 at most", .encode = encode_group},
    {"reaped", "true", "if the kernel reaped the memory before the process had ended; rarely known at once",
     AT(TRUE, reaped)},
    {"stat", "object", "memory.stat of `cgroup.limit` at the kill, with the kernel's names", .encode = encode_stats},
    {"tasks_count", "number", "how many processes the kernel chose from", AT(UNSIGNED, task_total)},
    {"tasks", "array", "these processes, with the fields of `process`; the 512 largest", .encode = encode_tasks},
    {"kernel.release", "text", "uname -r", AT(CHARS, kernel.release)},
    {"kernel.boot_id", "text", "together with `kernel.sequence` unique for each kill", AT(CHARS, kernel.boot_id)},
    {"kernel.sequence", "number", "the record's number in the kernel log", AT(KNOWN, kernel.sequence)},
    {"kernel.usec", "number", "the record's time by the kernel's own clock, microseconds from the boot",
     AT(KNOWN, kernel.usec)},
    {"case", "text",
     "the id of the case with the evidence taken of the process before, a part of its keys in the store",
     AT(CHARS, case_id)},
    {0},
};

void oomkill_process_init(struct oomkill_process *p)
{
    *p = (struct oomkill_process){
        .pid = OOMKILL_UNKNOWN,
        .uid = OOMKILL_UNKNOWN,
        .total_vm = OOMKILL_UNKNOWN,
        .rss = OOMKILL_UNKNOWN,
        .rss_anon = OOMKILL_UNKNOWN,
        .rss_file = OOMKILL_UNKNOWN,
        .rss_shmem = OOMKILL_UNKNOWN,
        .pgtables = OOMKILL_UNKNOWN,
        .swap = OOMKILL_UNKNOWN,
        .oom_score_adj = OOMKILL_NO_SCORE,
    };
}

void oomkill_init(struct oomkill *k)
{
    static const struct oomkill_amount unknown = {OOMKILL_UNKNOWN, OOMKILL_UNKNOWN, OOMKILL_UNKNOWN};

    memset(k, 0, offsetof(struct oomkill, stat));
    oomkill_process_init(&k->process);
    k->memory = k->swap = k->memory_swap = k->kmem = unknown;
    k->ram = k->invoker.pid = k->kernel.sequence = k->kernel.usec = OOMKILL_UNKNOWN;
    k->invoker.order = k->invoker.oom_score_adj = OOMKILL_NO_SCORE;
    k->stat_count = k->task_count = k->task_total = 0;
}

void oomkill_set(char *ret, size_t size, const char *text)
{
    if (!*ret && text)
        snprintf(ret, size, "%s", text);
}

void oomkill_add_stats(struct oomkill *k, const char *text)
{
    struct cgroup_line line;

    while (k->stat_count < OOMKILL_STATS_MAX && cgroup_next_line(&text, &line)) {
        struct oomkill_stat *s = &k->stat[k->stat_count];

        if (line.name_size >= sizeof(s->name))
            continue;
        memcpy(s->name, line.name, line.name_size);
        s->name[line.name_size] = '\0';
        s->value = line.value;
        k->stat_count++;
    }
}

static int encode_processes(const struct oomkill_process *p, unsigned count, json_t **ret)
{
    json_auto_t *array = json_array();

    if (count == 0)
        return 0;
    for (; count > 0; p++, count--) {
        /* The offsets of the table are relative to struct oomkill. */
        const void *base = (const char *)p - offsetof(struct oomkill, process);
        json_t *process;

        if (json_fields_encode(OOMKILL_FIELDS, base, "process.", &process) < 0 ||
            json_array_append_new(array, process) < 0)
            return -ENOMEM;
    }
    *ret = json_incref(array);
    return 1;
}

static int encode_tasks(const void *at, json_t **ret)
{
    const struct oomkill *k = at;

    return encode_processes(k->task, k->task_count, ret);
}

static int encode_group(const void *at, json_t **ret)
{
    const struct oomkill *k = at;

    return encode_processes(k->group.process, k->group.count, ret);
}

static int encode_stats(const void *at, json_t **ret)
{
    const struct oomkill *k = at;
    json_auto_t *object = json_object();

    if (k->stat_count == 0)
        return 0;
    for (unsigned i = 0; i < k->stat_count; i++) {
        uint64_t value = k->stat[i].value;

        if (json_object_set_new(object, k->stat[i].name,
                                json_integer(value < INT64_MAX ? (json_int_t)value : INT64_MAX)))
            return -ENOMEM;
    }
    *ret = json_incref(object);
    return 1;
}

int oomkill_encode(const struct oomkill *k, bool indented, struct buf *ret)
{
    json_auto_t *root = NULL;
    CLEANUP_FREE char *text = NULL;

    if (json_fields_encode(OOMKILL_FIELDS, k, "", &root) < 0)
        return -ENOMEM;
    text = json_dumps(root, (indented ? JSON_INDENT(2) : JSON_COMPACT) | JSON_ENSURE_ASCII);
    return text ? buf_printf(ret, "%s\n", text) : -ENOMEM;
}
