/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that a handler's options and environment name, as copies in its folder: the kernel starts it on the host, where
 * the files of the agent's container are not. Copies are 0600 and have the names file.N.
 */
#pragma once

#include <stdint.h>

#include "base/strv.h"
#include "node/core_config.h"

/* Files that have copies. */
struct core_files {
    struct strv path;
    uint64_t stamp; /* node/component_env.h: of all, before they were read */
};

void core_files_done(struct core_files *f);
uint64_t core_files_stamp(const struct core_files *f);

/* Copies each file that a set names, and puts the copy's path in its place. dir: the handler's folder; home: its
 * descriptor. ret: empty before; has what was copied also after a failure. -FAULT_CREDENTIALS: a file can't be read. */
int core_files_copy(int home, const char *dir, struct core_config *c, struct core_files *ret, struct err *e);

/* Removes all copies but those that `keep` names (NULL: all). */
void core_files_remove(int home, const struct core_config *keep);
