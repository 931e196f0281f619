/* SPDX-License-Identifier: Apache-2.0
 *
 * The UID is in the path of its cgroup.
 */
#include "place/pod_of_process.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "place/container.h"
#include "place/pod_known.h"
#include "place/pod_logs.h"

static int replace(char **field, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

/* The kubelet's folder is gone soon after the pod; the table, where there is one, has it for longer. */
static int find_names(const char *pod_logs, const char *uid, struct pod_logs_names *ret)
{
    CLEANUP(pod_row_done) struct pod_row row = {0};
    int r = pod_logs_names(pod_logs, uid, ret);

    if (r == 0 || pod_known_find(uid, NULL, NULL, &row) < 0)
        return r;
    memcpy(ret->namespace, row.namespace, sizeof(ret->namespace));
    memcpy(ret->pod, row.name, sizeof(ret->pod));
    return 0;
}

int pod_of_process(const char *pod_logs, int proc, struct whoami *ret)
{
    char uid[PODUID_MAX], container[CONTAINERNAME_MAX];
    struct pod_logs_names name;

    assert(pod_logs && proc >= 0 && ret);
    if (!container_pod(proc, uid) || find_names(pod_logs, uid, &name) < 0)
        return -ENOENT;
    if (replace(&ret->namespace, name.namespace) < 0 || replace(&ret->pod, name.pod) < 0 ||
        replace(&ret->pod_uid, uid) < 0 ||
        (container_kubelet_name(proc, container) && replace(&ret->container, container) < 0))
        return -ENOMEM;
    return 0;
}
