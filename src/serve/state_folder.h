/* SPDX-License-Identifier: Apache-2.0
 *
 * ROOT/.salvage: our own files in a root. It has to be ours alone, because what lies in it is believed: where
 * containers may write into a root, one of them could put it there.
 */
#pragma once

#include "base/err.h"

/* Makes it (mode 0700) if it is missing. A descriptor; -FAULT_STATE: it cannot be made, is a link, is another user's,
 * or others may write to it. */
int state_folder_open(int root_fd, struct err *e);
