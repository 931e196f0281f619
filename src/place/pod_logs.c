/* SPDX-License-Identifier: Apache-2.0
 *
 * By listing the folder: names of namespaces and pods have no '_'.
 */
#include "place/pod_logs.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

static bool is_of_pod(const char *name, const char *pod_uid)
{
    const char *pod = strchr(name, '_'), *uid = pod ? strchr(pod + 1, '_') : NULL;

    return uid && pod > name && pod - name < LAYOUT_NAME_MAX && text_eq(uid + 1, pod_uid);
}

int pod_logs_namespace(const char *dir, const char *pod_uid, char ret[LAYOUT_NAME_MAX])
{
    CLEANUP_DIR DIR *pods = file_opendir(AT_FDCWD, dir);

    assert(*pod_uid);
    if (!pods)
        return -errno;
    for (struct dirent *d; (errno = 0, d = readdir(pods));) {
        size_t size = strcspn(d->d_name, "_");

        if (!is_of_pod(d->d_name, pod_uid))
            continue;
        memcpy(ret, d->d_name, size);
        ret[size] = '\0';
        return 0;
    }
    return errno ? -errno : -ENOENT;
}
