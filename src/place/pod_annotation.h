/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The annotation by which a pod names folders that are to be watched:
 * `salvage.dev/watch: "volume:dumps, volume:data/sub, app:/tmp/dumps"`: an emptyDir by its name, and a folder in it, or
 * a container by its name, and a folder of its own file system. Text only: whether they exist is found out elsewhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define POD_ANNOTATION_WATCH "salvage.dev/watch"

enum { POD_FOLDERS_MAX = 8, POD_FOLDER_NAME_MAX = 64, POD_FOLDER_PATH_MAX = 256 };

struct pod_annotation {
    struct pod_folder_name {
        bool volume;                    /* else a container */
        char name[POD_FOLDER_NAME_MAX]; /* of the volume or container: a DNS label */
        char path[POD_FOLDER_PATH_MAX]; /* relative, without "." and ".."; "": all of the volume */
    } folder[POD_FOLDERS_MAX];
    size_t count;
};

/* 0, or -EINVAL, with what is wrong and how it is written. ret is untouched on failure. */
int pod_annotation_read(const char *text, struct pod_annotation *ret, struct err *e);
