/* SPDX-License-Identifier: Apache-2.0
 *
 * Where there are no cgroups that can be read, the machine's memory.
 */
#include "linux/memory_room.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "linux/memcg.h"
#include "linux/meminfo.h"
#include "linux/proc.h"

uint64_t memory_room(void)
{
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    struct memcg cgroup = MEMCG_NONE;
    struct memcg_sample sample;
    struct proc self;

    if (proc_open("/proc", getpid(), &self) < 0)
        return memory;
    if (memcg_open(&self, &cgroup, NULL) == 0 && memcg_sample(&cgroup, 0, &sample) == 0 && sample.room < memory)
        memory = sample.room;
    memcg_done(&cgroup);
    proc_done(&self);
    return memory;
}

uint64_t memory_spare(void)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = MEMINFO_TEXT_MAX};
    uint64_t room = memory_room(), available;

    if (file_load(AT_FDCWD, "/proc/meminfo", &text) < 0 ||
        meminfo_bytes(buf_text(&text), "MemAvailable", &available) < 0)
        return 0;
    return available < room ? available : room;
}
