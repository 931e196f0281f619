/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the files of a memory cgroup and of those above it, under the names of its version. For linux/memcg*.c only.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux/memcg.h"

enum { MEMCG_PATH_MAX = 3 * MEMCG_LEVELS_MAX + 64 /* "../../../memory.limit_in_bytes" */ };

struct memcg_names {
    const char *usage, *limit, *events;
    /* in memory.stat, children included: */
    const char *inactive, *active, *dirty, *writeback, *slab, *shared;
};

extern const struct memcg_names MEMCG_V1, MEMCG_V2;

const struct memcg_names *memcg_names(const struct memcg *m);

/* The path of name, so many levels above, into out, which it returns. */
const char *memcg_path_above(unsigned levels, const char *name, char out[MEMCG_PATH_MAX]);

/* Opens a file, so many levels above. -errno. */
int memcg_openat(const struct memcg *m, unsigned level, const char *name);

/* Reads from the beginning of the file, up to size - 1 bytes. fd may be an -errno, which is returned. */
int memcg_read_text(int fd, char *out, size_t size);
int memcg_read_bytes(int fd, uint64_t *ret);
int memcg_read_bytes_at(const struct memcg *m, unsigned level, const char *name, uint64_t *ret);

/* -ENODEV for -ENOENT: if a file of an open cgroup is missing, the cgroup was removed. */
int memcg_error(int r);

bool memcg_has(int folder, const char *name);
