/* SPDX-License-Identifier: Apache-2.0
 *
 * One table of fields: encoding and the docs walk it. What is not known is left out.
 */
#include "oom/oomkill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"

enum kind {
    SCHEMA, /* OOMKILL_SCHEMA itself */
    WORD,   /* const char *; left out if NULL */
    TEXT,   /* char[]; left out if "" */
    NUMBER, /* uint64_t; left out if OOMKILL_UNKNOWN */
    SCORE,  /* int; left out if OOMKILL_NO_SCORE */
    TIME,   /* int64_t ns, as text to the millisecond; left out if 0 */
    YES,    /* bool; left out if false */
    COUNT,  /* unsigned; left out if 0 */
    STATS,  /* struct oomkill; an object */
    TASKS,  /* struct oomkill; arrays of objects */
    GROUP,
};

#define AT(k, member) .at = {.kind = (k), .offset = offsetof(struct oomkill, member)}

const struct oomkill_field OOMKILL_FIELDS[] = {
    {"schema", "text", "always \"" OOMKILL_SCHEMA "\"", .at = {.kind = SCHEMA}},
    {"source", "text", "`kernel-log`, or `counters` where only the cgroup's counters could be read", AT(WORD, source)},
    {"time", "time", "of the kill (RFC 3339, UTC); from the log alone good to a second or so", AT(TIME, time_ns)},
    {"why", "text",
     "what there was too little of: `limit` (the cgroup's own, or it is not known whose), `parent-limit` (of a cgroup "
     "further up), `machine`, `cpuset`, `memory-policy`",
     AT(WORD, why)},
    {"note", "text", "what is missing here, and why", AT(WORD, note)},
    {"process.pid", "number", "on the host, as all pids here", AT(NUMBER, process.pid)},
    {"process.name", "text", "what the process called itself, at most 15 bytes", AT(TEXT, process.name)},
    {"process.uid", "number", "its real user id", AT(NUMBER, process.uid)},
    {"process.rss", "number", "memory it held, in bytes as all sizes: the sum of the next three",
     AT(NUMBER, process.rss)},
    {"process.rss_anon", "number", "heap, stacks", AT(NUMBER, process.rss_anon)},
    {"process.rss_file", "number", "pages of files", AT(NUMBER, process.rss_file)},
    {"process.rss_shmem", "number", "shared memory and tmpfs", AT(NUMBER, process.rss_shmem)},
    {"process.total_vm", "number", "address space", AT(NUMBER, process.total_vm)},
    {"process.pgtables", "number", "page tables", AT(NUMBER, process.pgtables)},
    {"process.swap", "number", "what of it was in swap", AT(NUMBER, process.swap)},
    {"process.oom_score_adj", "number", "from -1000 to 1000", AT(SCORE, process.oom_score_adj)},
    {"cgroup.process", "text", "the process's memory cgroup", AT(TEXT, task_cgroup)},
    {"cgroup.limit", "text", "the memory cgroup whose limit was hit; left out if none was", AT(TEXT, limit_cgroup)},
    {"memory.usage", "number", "of `cgroup.limit`, at the kill", AT(NUMBER, memory.usage)},
    {"memory.limit", "number", "the limit; left out if there is none", AT(NUMBER, memory.limit)},
    {"memory.failcnt", "number", "how often the limit had been hit", AT(NUMBER, memory.failcnt)},
    {"swap.usage", "number", "the same for swap (cgroup v2)", AT(NUMBER, swap.usage)},
    {"swap.limit", "number", "", AT(NUMBER, swap.limit)},
    {"swap.failcnt", "number", "", AT(NUMBER, swap.failcnt)},
    {"memory_swap.usage", "number", "the same for memory and swap together (cgroup v1)", AT(NUMBER, memory_swap.usage)},
    {"memory_swap.limit", "number", "", AT(NUMBER, memory_swap.limit)},
    {"memory_swap.failcnt", "number", "", AT(NUMBER, memory_swap.failcnt)},
    {"kmem.usage", "number", "the same for the kernel's memory (cgroup v1)", AT(NUMBER, kmem.usage)},
    {"kmem.limit", "number", "", AT(NUMBER, kmem.limit)},
    {"kmem.failcnt", "number", "", AT(NUMBER, kmem.failcnt)},
    {"machine.ram", "number", "the machine's memory, where that is what ran out", AT(NUMBER, ram)},
    {"where.namespace", "text",
     "the pod's namespace; this and the next names are known as long as something of the pod "
     "runs, and are what the pod says of itself",
     AT(TEXT, where.namespace)},
    {"where.pod", "text", "the pod's name", AT(TEXT, where.pod)},
    {"where.pod_uid", "text", "the pod's UID, by the cgroup's path", AT(TEXT, where.pod_uid)},
    {"where.container", "text", "the container's name", AT(TEXT, where.container)},
    {"where.container_id", "text", "the container's id, by the cgroup's path", AT(TEXT, where.container_id)},
    {"where.host", "text", "this machine's name", AT(TEXT, where.host)},
    {"invoker.name", "text", "the thread whose wish for memory could not be met", AT(TEXT, invoker.name)},
    {"invoker.pid", "number", "its id", AT(NUMBER, invoker.pid)},
    {"invoker.gfp", "text", "what it wished for, in the kernel's words", AT(TEXT, invoker.gfp)},
    {"invoker.order", "number", "2 to the power of this, in pages; -1: somebody asked the kernel for a kill (sysrq)",
     AT(SCORE, invoker.order)},
    {"invoker.oom_score_adj", "number", "", AT(SCORE, invoker.oom_score_adj)},
    {"group.cgroup", "text", "the cgroup that was killed as a whole (memory.oom.group)", AT(TEXT, group.cgroup)},
    {"group.count", "number", "how many processes beside the first", AT(COUNT, group.total)},
    {"group.killed", "array", "they, with the fields of `process`; 64 at most", .at = {.kind = GROUP}},
    {"reaped", "true", "if the kernel had to take the memory before the process had ended; seldom known at once",
     AT(YES, reaped)},
    {"stat", "object", "memory.stat of `cgroup.limit` at the kill, name by name as the kernel has them",
     .at = {.kind = STATS}},
    {"tasks_count", "number", "how many processes there were to choose from", AT(COUNT, task_total)},
    {"tasks", "array", "they, with the fields of `process`; the 512 biggest", .at = {.kind = TASKS}},
    {"kernel.release", "text", "uname -r", AT(TEXT, kernel.release)},
    {"kernel.boot_id", "text", "with `kernel.sequence` no other kill has the same", AT(TEXT, kernel.boot_id)},
    {"kernel.sequence", "number", "the record's number in the kernel log", AT(NUMBER, kernel.sequence)},
    {"kernel.usec", "number", "the record's time by the kernel's own clock, microseconds from the boot",
     AT(NUMBER, kernel.usec)},
    {"case", "text", "the id of the case with what was taken of the process before, part of its keys in the store",
     AT(TEXT, case_id)},
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
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        size_t name = strcspn(text, " \n"), digits = text[name] == ' ' ? strspn(text + name + 1, "0123456789") : 0;
        struct oomkill_stat *s = &k->stat[k->stat_count];

        if (k->stat_count == OOMKILL_STATS_MAX)
            return;
        if (name == 0 || name >= sizeof(s->name) || digits == 0 || digits > 19 ||
            (text[name + 1 + digits] != '\n' && text[name + 1 + digits] != '\0'))
            continue;
        memcpy(s->name, text, name);
        s->name[name] = '\0';
        s->value = strtoull(text + name + 1, NULL, 10);
        k->stat_count++;
    }
}

static json_t *number(uint64_t n)
{
    return json_integer(n < INT64_MAX ? (json_int_t)n : INT64_MAX);
}

/* The fields below "process." of a process. */
static json_t *encode_process(const struct oomkill_process *p);

static json_t *encode_processes(const struct oomkill_process *p, unsigned count)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < count; i++)
        if (json_array_append_new(array, encode_process(&p[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *encode_stats(const struct oomkill *k)
{
    json_t *object = json_object();

    for (unsigned i = 0; i < k->stat_count; i++)
        if (json_object_set_new(object, k->stat[i].name, number(k->stat[i].value)) < 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}

/* Whether there is something to say. base: what f's offset counts from. */
static bool is_known(const void *base, const struct oomkill_field *f)
{
    const struct oomkill *k = base; /* of the lists, which no process has */
    const void *p = (const char *)base + f->at.offset;

    switch ((enum kind)f->at.kind) {
    case SCHEMA:
        break;
    case WORD:
        return *(const char *const *)p;
    case TEXT:
        return *(const char *)p;
    case NUMBER:
        return *(const uint64_t *)p != OOMKILL_UNKNOWN;
    case SCORE:
        return *(const int *)p != OOMKILL_NO_SCORE;
    case TIME:
        return *(const int64_t *)p != 0;
    case YES:
        return *(const bool *)p;
    case COUNT:
        return *(const unsigned *)p > 0;
    case STATS:
        return k->stat_count > 0;
    case TASKS:
        return k->task_count > 0;
    case GROUP:
        return k->group.count > 0;
    }
    return true;
}

/* NULL without memory. */
static json_t *encode_value(const void *base, const struct oomkill_field *f)
{
    const struct oomkill *k = base;
    const void *p = (const char *)base + f->at.offset;
    char time[CLOCK_TEXT_MAX];

    switch ((enum kind)f->at.kind) {
    case SCHEMA:
        break;
    case WORD:
        return json_string(*(const char *const *)p);
    case TEXT:
        return jsonout_text(p, (size_t)3 * OOMKILL_PATH_MAX);
    case NUMBER:
        return number(*(const uint64_t *)p);
    case SCORE:
        return json_integer(*(const int *)p);
    case TIME:
        return json_string(clock_format(*(const int64_t *)p, time));
    case YES:
        return json_true();
    case COUNT:
        return json_integer(*(const unsigned *)p);
    case STATS:
        return encode_stats(k);
    case TASKS:
        return encode_processes(k->task, k->task_count);
    case GROUP:
        return encode_processes(k->group.process, k->group.count);
    }
    return json_string(OOMKILL_SCHEMA);
}

static json_t *encode_process(const struct oomkill_process *process)
{
    static const char PREFIX[] = "process.";
    /* The table's offsets are those in struct oomkill. */
    const void *base = (const char *)process - offsetof(struct oomkill, process);
    json_t *object = json_object();

    for (const struct oomkill_field *f = OOMKILL_FIELDS; object && f->path; f++) {
        if (strncmp(f->path, PREFIX, sizeof(PREFIX) - 1) != 0 || !is_known(base, f))
            continue;
        if (json_object_set_new(object, f->path + sizeof(PREFIX) - 1, encode_value(base, f)) < 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

int oomkill_encode(const struct oomkill *k, bool indented, struct buf *ret)
{
    json_auto_t *root = json_object();
    CLEANUP_FREE char *text = NULL;

    if (!root)
        return -ENOMEM;
    for (const struct oomkill_field *f = OOMKILL_FIELDS; f->path; f++) {
        json_t *value = is_known(k, f) ? encode_value(k, f) : NULL;

        if (is_known(k, f) && (!value || jsonout_put(root, f->path, value) < 0))
            return -ENOMEM;
    }
    text = json_dumps(root, (indented ? JSON_INDENT(2) : JSON_COMPACT) | JSON_ENSURE_ASCII);
    return text ? buf_printf(ret, "%s\n", text) : -ENOMEM;
}
