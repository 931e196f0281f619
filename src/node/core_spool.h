/* SPDX-License-Identifier: Apache-2.0
 *
 * Cores that wait on this disk while the store is away: SPOOL/NAMESPACE/POD/core.PID-TIME, or SPOOL/core.PID-TIME of a
 * process in no pod. `salvage watch SPOOL --layout namespace/pod` ships them. Files are 0600, folders 0700, and a name
 * is visible only once its file is complete, or its handler was killed (core_spool_room finds that). Holes stay holes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "place/whoami.h"

enum { CORE_SPOOL_NAME_MAX = 600 };

struct core_spool {
    const char *folder;
    uint64_t size_max; /* bytes on disk of all that lies there */
};

/* How much may be added: less than size_max allows where the volume has less than a twentieth free beyond it. 0: none,
 * or too little to be worth a file. */
uint64_t core_spool_room(const struct core_spool *s);

/* The spool's folder for evidence of that pod, made if it is missing. A descriptor, and its path below the spool, "" or
 * ending with '/'; -errno with a message. */
int core_spool_folder(const struct core_spool *s, const struct whoami *who, char ret_path[CORE_SPOOL_NAME_MAX],
                      struct err *e);

/* Copies fd until its end into a new file. *ret_size: bytes read. The file stays also if it was cut. */
int core_spool_write(int folder, const char *name, int fd, uint64_t *ret_size, struct err *e);
