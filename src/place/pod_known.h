/* SPDX-License-Identifier: Apache-2.0
 *
 * What the node's table of pods says of a pod, for those who describe evidence: one table for the whole process, none
 * at first. Each question reads the table as it is then.
 */
#pragma once

#include "place/pod_row.h"

/* RUN/pods.json; NULL: none. Borrowed. */
void pod_known_set_table(const char *path);

/* By its UID, or with uid NULL or "" by its names. ret: to be freed by pod_row_done. -ENOENT: it, or a table, is not
 * there; -ENOMEM, -EBADMSG, -errno. */
int pod_known_find(const char *uid, const char *namespace, const char *pod, struct pod_row *ret);
