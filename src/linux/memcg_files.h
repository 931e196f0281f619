/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a memory cgroup and of those above it, by the names of its version. For linux/memcg*.c only.
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

/* name in the folder so many levels above; returns out. */
const char *memcg_path_above(unsigned levels, const char *name, char out[MEMCG_PATH_MAX]);

/* A descriptor of a file, so many levels above. -errno. */
int memcg_openat(const struct memcg *m, unsigned level, const char *name);

/* From the beginning of the file, cut to size. fd may be an -errno, which is returned. */
int memcg_read_text(int fd, char *out, size_t size);
int memcg_read_bytes(int fd, uint64_t *ret);
int memcg_read_bytes_at(const struct memcg *m, unsigned level, const char *name, uint64_t *ret);

/* -ENODEV for -ENOENT: a file of an open cgroup has no name any more, so the cgroup was removed. */
int memcg_error(int r);

bool memcg_has(int folder, const char *name);
