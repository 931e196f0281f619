/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of fixed size: of the processes of the table the largest are kept, of a group the first.
 */
#include "oom/oomkill_processes.h"

#include <assert.h>
#include <string.h>

void oomkill_add_task(struct oomkill *k, const struct oomkill_process *p)
{
    unsigned smallest = 0;

    assert(k->task_count <= OOMKILL_TASKS_MAX);
    if (k->task_count > 0 && k->task[k->task_count - 1].pid == p->pid)
        return; /* the same line again: two daemons wrote the file */
    k->task_total++;
    if (k->task_count == OOMKILL_TASKS_MAX) {
        for (unsigned i = 1; i < k->task_count; i++)
            if (k->task[i].rss < k->task[smallest].rss)
                smallest = i;
        if (p->rss <= k->task[smallest].rss)
            return;
        memmove(&k->task[smallest], &k->task[smallest + 1], (--k->task_count - smallest) * sizeof(*p));
    }
    k->task[k->task_count++] = *p;
}

const struct oomkill_process *oomkill_find_task(const struct oomkill *k, uint64_t pid)
{
    for (unsigned i = 0; i < k->task_count; i++)
        if (k->task[i].pid == pid)
            return &k->task[i];
    return NULL;
}

void oomkill_complete_process(struct oomkill_process *p, const struct oomkill_process *from)
{
    if (p->uid == OOMKILL_UNKNOWN)
        p->uid = from->uid;
    if (p->pgtables == OOMKILL_UNKNOWN)
        p->pgtables = from->pgtables;
    if (p->swap == OOMKILL_UNKNOWN)
        p->swap = from->swap;
    if (p->oom_score_adj == OOMKILL_NO_SCORE)
        p->oom_score_adj = from->oom_score_adj;
    /* Linux 5.4 wrote bytes, with "kB" behind them. */
    if (from->pgtables != OOMKILL_UNKNOWN && p->pgtables / 1024 == from->pgtables)
        p->pgtables = from->pgtables;
}

void oomkill_add_to_group(struct oomkill *k, const struct oomkill_process *p)
{
    const struct oomkill_process *row = oomkill_find_task(k, p->pid);
    struct oomkill_process *to = &k->group.process[k->group.count];

    assert(k->group.count <= OOMKILL_GROUP_MAX);
    for (unsigned i = 0; i < k->group.count; i++) {
        if (k->group.process[i].pid == p->pid) {
            k->group.again++;
            return;
        }
    }
    k->group.total++;
    if (k->group.count == OOMKILL_GROUP_MAX)
        return;
    *to = *p;
    if (row)
        oomkill_complete_process(to, row);
    k->group.count++;
}
