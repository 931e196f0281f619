/* SPDX-License-Identifier: Apache-2.0
 *
 * No table stays open: evidence is rare.
 */
#include "place/pod_known.h"

#include <errno.h>

#include "place/pod_table.h"

static const char *table_path;

void pod_known_set_table(const char *path)
{
    table_path = path;
}

int pod_known_find(const char *uid, const char *namespace, const char *pod, struct pod_row *ret)
{
    CLEANUP(pod_table_free_ptr) struct pod_table *t = NULL;
    int r;

    if (!table_path)
        return -ENOENT;
    if ((r = pod_table_open(table_path, &t)) < 0 || (r = pod_table_refresh(t)) < 0)
        return r;
    if (uid && *uid)
        return pod_table_find(t, uid, ret);
    return namespace && pod ? pod_table_find_name(t, namespace, pod, ret) : -ENOENT;
}
