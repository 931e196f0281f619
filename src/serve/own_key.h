/* SPDX-License-Identifier: Apache-2.0
 *
 * The secret from which all keys of a server are derived: of sessions and of signed links. From a file that replicas
 * share, else kept in the root, else made anew at each start (then everybody signs in again, and links end).
 */
#pragma once

#include "base/err.h"
#include "base/secret.h"

/* file: of --cookie-key, at least 32 bytes and not readable by others; NULL: none. state_fd: of the root's state
 * folder; -1: none. -FAULT_CREDENTIALS, -FAULT_STATE. */
int own_key_get(const char *file, int state_fd, struct secret **ret, struct err *e);
