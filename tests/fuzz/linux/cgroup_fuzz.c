/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as /proc/PID/cgroup and mountinfo (parted by the first 0xff), and as a cgroup's file.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "linux/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(void *ctx, const struct cgroup_place *p)
{
    assert(p->path[0] == '/');
    ++*(unsigned *)ctx;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = malloc(size + 1);
    struct cgroup_events events = {.oom_kill = 4711};
    unsigned places = 0;
    uint64_t bytes = 4711;
    char *second;

    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (cgroup_events(text, &events) < 0)
        assert(events.oom_kill == 4711);
    if (cgroup_bytes(text, &bytes) < 0)
        assert(bytes == 4711 && cgroup_counter(text, "inactive_file", &bytes) <= 0);
    second = strchr(text, '\xff');
    if (!second)
        return 0;
    *second++ = '\0';
    assert(cgroup_each_place(text, second, "/a/b", check, &places) == 0 || places == 0);
    return 0;
}
