/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a user has a name: a line in /etc/passwd. Asks no name service (getpwuid loads modules of the container).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* path: "/etc/passwd". False where the file can't be read, too. */
bool username_exists(const char *path, uid_t uid);
