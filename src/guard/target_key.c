/* SPDX-License-Identifier: Apache-2.0
 *
 * By /proc/PID/cgroup and, for a name, /proc/PID/mountinfo.
 */
#include "guard/target_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "linux/proc.h"
#include "linux/proc_cgroup.h"
#include "place/container.h"

enum { PATH_SHOWN = 160 };

/* The part of the path below the container's own cgroup: "" in most cases. */
static const char *behind(const char *path, const char *id)
{
    const char *at = strstr(path, id);

    return at ? at + strcspn(at, "/") : "";
}

static void add_rest(const char *rest, char ret[RULE_KEY_MAX])
{
    size_t length = strlen(ret);

    if (*rest)
        snprintf(ret + length, RULE_KEY_MAX - length, "/%016" PRIx64, (uint64_t)XXH3_64bits(rest, strlen(rest)));
}

bool target_key_of_process(int proc, char ret[RULE_KEY_MAX])
{
    char id[CONTAINERID_MAX], pod[PODUID_MAX], name[CONTAINERNAME_MAX];
    bool v2;
    CLEANUP_FREE char *path = proc_memory_cgroup(proc, &v2);

    if (!path)
        return false;
    if (!containerid_from_path(path, id)) {
        snprintf(ret, RULE_KEY_MAX, "cgroup %.*s", PATH_SHOWN, path);
        add_rest(strlen(path) > PATH_SHOWN ? path : "", ret);
        return true;
    }
    if (containerid_pod_from_path(path, pod) && container_kubelet_name(proc, name))
        snprintf(ret, RULE_KEY_MAX, "pod %s %s", pod, name);
    else
        snprintf(ret, RULE_KEY_MAX, "container %s", id);
    add_rest(behind(path, id), ret);
    return true;
}

void target_key_of_given(pid_t pid, char ret[RULE_KEY_MAX])
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    uint64_t ticks = 0;

    if (proc_open("/proc", pid, &p) < 0 || proc_start_ticks(&p, &ticks) < 0)
        ticks = 0;
    snprintf(ret, RULE_KEY_MAX, "process %d %" PRIu64, (int)pid, ticks);
}
