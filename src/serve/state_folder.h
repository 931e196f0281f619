/* SPDX-License-Identifier: Apache-2.0
 *
 * ROOT/.salvage: our own files in a root. It has to be ours alone, because what lies in it is believed: where
 * containers may write into a root, one of them could put it there.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

/* Makes it (mode 0700) if it is missing. A descriptor; -FAULT_STATE: it cannot be made, is a link, is another user's,
 * or others may write to it. */
int state_folder_open(int root_fd, struct err *e);

/* Whether nobody else may write to a file or folder of ours; secret: or read it. A group counts as nobody else if it is
 * ours: Kubernetes gives volumes with an fsGroup to it, with all rights, at each mount. */
bool state_is_ours(const struct stat *st, bool secret);
