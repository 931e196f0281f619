/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A Pod as Kubernetes' API has it (core/v1, PodSpec, PodStatus), as a row of the table of pods.
 */
#pragma once

#include <jansson.h>

#include "place/pod_row.h"

/* annotations: names that are kept beside those of POD_ANNOTATION_PREFIX. left_out: texts beyond the row's limits.
 * ret: to be freed by pod_row_done; its `rule` is empty. 0, -EBADMSG: it is no pod, or has no valid name; -ENOMEM. */
int pod_object_read(const json_t *pod, const struct strv *annotations, struct pod_row *ret, unsigned *left_out);
