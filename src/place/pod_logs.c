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

static const char *folder = "/var/log/pods";

void pod_logs_set_folder(const char *dir)
{
    assert(dir);
    folder = dir;
}

const char *pod_logs_folder(void)
{
    return folder;
}

static bool take(const char *text, size_t size, char ret[LAYOUT_NAME_MAX])
{
    if (size == 0 || size >= LAYOUT_NAME_MAX)
        return false;
    memcpy(ret, text, size);
    ret[size] = '\0';
    return true;
}

bool pod_logs_parse(const char *folder_name, struct pod_logs_names *ret, char ret_uid[PODUID_MAX])
{
    const char *pod = strchr(folder_name, '_'), *uid = pod ? strchr(pod + 1, '_') : NULL;
    struct pod_logs_names found = {0};

    if (!uid || strlen(uid + 1) >= PODUID_MAX || !uid[1] ||
        !take(folder_name, (size_t)(pod - folder_name), found.namespace) ||
        !take(pod + 1, (size_t)(uid - pod) - 1, found.pod))
        return false;
    *ret = found;
    memcpy(ret_uid, uid + 1, strlen(uid + 1) + 1);
    return true;
}

int pod_logs_names(const char *dir, const char *pod_uid, struct pod_logs_names *ret)
{
    CLEANUP_DIR DIR *pods = file_opendir(AT_FDCWD, dir);
    struct pod_logs_names found;
    char uid[PODUID_MAX];

    assert(*pod_uid);
    if (!pods)
        return -errno;
    for (struct dirent *d; (errno = 0, d = readdir(pods));) {
        if (!pod_logs_parse(d->d_name, &found, uid) || !text_eq(uid, pod_uid))
            continue;
        *ret = found;
        return 0;
    }
    return errno ? -errno : -ENOENT;
}

int pod_logs_namespace(const char *dir, const char *pod_uid, char ret[LAYOUT_NAME_MAX])
{
    struct pod_logs_names found;
    int r = pod_logs_names(dir, pod_uid, &found);

    if (r == 0)
        memcpy(ret, found.namespace, sizeof(found.namespace));
    return r;
}
