/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a user has a line in /etc/passwd. Uses no name service (getpwuid loads modules of the container).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* path: "/etc/passwd". Also false if the file can't be read. */
bool username_exists(const char *path, uid_t uid);
