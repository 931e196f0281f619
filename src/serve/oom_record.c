/* SPDX-License-Identifier: Apache-2.0
 *
 * Its writer is oom/oomkill.c; docs/oom-kill.md has the fields.
 */
#include "serve/oom_record.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"

enum { BYTES_MAX = 1024 * 1024 };

/* Sums of memory.stat that don't overlap (cgroup v2), and their names in cgroup v1. */
static const char *const STATS[] = {"anon", "file", "shmem", "kernel_stack", "pagetables",
                                    "slab", "sock", "rss",   "cache",        "mapped_file"};

static uint64_t number(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));

    return value > 0 ? (uint64_t)value : 0;
}

static void text(const json_t *object, const char *name, char *ret, size_t size)
{
    const char *value = json_string_value(json_object_get(object, name));

    snprintf(ret, size, "%s", value ? value : "");
}

static void take_task(const json_t *from, uint64_t killed, struct record_task *t)
{
    text(from, "name", t->name, sizeof(t->name));
    t->pid = number(from, "pid");
    t->rss = number(from, "rss");
    t->swap = number(from, "swap");
    t->killed = t->pid != 0 && t->pid == killed;
}

static int by_size(const void *a, const void *b)
{
    const struct record_task *x = a, *y = b;

    return x->rss < y->rss ? 1 : x->rss > y->rss ? -1 : 0;
}

static void take_tasks(const json_t *root, struct oom_record *r)
{
    const json_t *tasks = json_object_get(root, "tasks"), *one;
    uint64_t killed = number(json_object_get(root, "process"), "pid");
    size_t i;

    json_array_foreach(tasks, i, one)
    {
        if (r->task_count == RECORD_TASKS_MAX)
            break;
        take_task(one, killed, &r->task[r->task_count++]);
    }
    r->tasks_total = number(root, "tasks_count");
    if (r->tasks_total < r->task_count)
        r->tasks_total = r->task_count;
    qsort(r->task, r->task_count, sizeof(*r->task), by_size);
}

static void take_stats(const json_t *stat, struct oom_record *r)
{
    for (size_t i = 0; i < ARRAY_SIZE(STATS) && r->stat_count < RECORD_STATS_MAX; i++) {
        struct record_stat *s = &r->stat[r->stat_count];

        if ((s->bytes = number(stat, STATS[i])) == 0)
            continue;
        snprintf(s->name, sizeof(s->name), "%s", STATS[i]);
        r->stat_count++;
    }
}

void oom_record_read(const char *json, size_t size, struct oom_record *ret)
{
    json_auto_t *root = json_read_object(json, size, BYTES_MAX);
    const json_t *process = json_object_get(root, "process"), *memory = json_object_get(root, "memory");

    assert(ret);
    memset(ret, 0, sizeof(*ret));
    if (!text_eq(json_string_value(json_object_get(root, "schema")), "salvage.oom-kill/1"))
        return;
    ret->known = true;
    ret->usage = number(memory, "usage");
    ret->limit = number(memory, "limit");
    ret->failcnt = number(memory, "failcnt");
    ret->rss = number(process, "rss");
    ret->rss_anon = number(process, "rss_anon");
    ret->rss_file = number(process, "rss_file");
    ret->rss_shmem = number(process, "rss_shmem");
    text(json_object_get(root, "cgroup"), "limit", ret->cgroup, sizeof(ret->cgroup));
    text(root, "note", ret->note, sizeof(ret->note));
    take_tasks(root, ret);
    take_stats(json_object_get(root, "stat"), ret);
}
