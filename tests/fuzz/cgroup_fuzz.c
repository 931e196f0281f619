/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as /proc/PID/cgroup and mountinfo (parted by the first 0xff), and as a cgroup's file.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "format/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = malloc(size + 1);
    struct cgroup_place place = {0};
    uint64_t kills = 4711;
    char *second;

    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (cgroup_oom_kills(text, &kills) < 0)
        assert(kills == 4711);
    if (cgroup_bytes(text, &kills) < 0)
        assert(cgroup_counter(text, "inactive_file", &kills) <= 0);
    second = strchr(text, '\xff');
    if (!second)
        return 0;
    *second++ = '\0';
    if (cgroup_place(text, second, &place) == 0)
        assert(place.path && place.path[0] == '/');
    else
        assert(!place.path);
    cgroup_place_done(&place);
    return 0;
}
