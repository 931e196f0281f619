/* SPDX-License-Identifier: Apache-2.0
 *
 * Any JSON as a record of an OOM kill: counts and texts within their bounds.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "serve/oom_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct oom_record r;

    oom_record_read((const char *)data, size, &r);
    assert(r.task_count <= RECORD_TASKS_MAX && r.stat_count <= RECORD_STATS_MAX && r.tasks_total >= r.task_count);
    for (unsigned i = 0; i < r.task_count; i++)
        assert(memchr(r.task[i].name, '\0', sizeof(r.task[i].name)) && (i == 0 || r.task[i - 1].rss >= r.task[i].rss));
    assert(r.known || r.task_count == 0);
    return 0;
}
