/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens folders of pods: reads which process is in which container once for many of them.
 */
#pragma once

#include <stdbool.h>

#include "place/container_processes.h"
#include "place/pod_annotation.h"
#include "watch/pod_folder.h"

struct pod_opener {
    const char *kubelet, *proc; /* set by the caller */
    struct container_processes processes;
    bool processes_read;
};

/* id: of a container. As pod_folder_of_volume. */
int pod_opener_open(struct pod_opener *o, const struct claim_pod *pod, const struct pod_folder_name *name,
                    const char *id, struct pod_folder **ret);
void pod_opener_done(struct pod_opener *o);
