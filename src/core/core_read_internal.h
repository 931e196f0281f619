/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the core reader share: numbers, memory, modules. For core_*.c alone.
 */
#pragma once

#include <endian.h>
#include <string.h>

#include "core/core_read.h"

static inline uint64_t core_u64(const unsigned char *p)
{
    uint64_t n;

    memcpy(&n, p, sizeof(n));
    return le64toh(n);
}

static inline uint32_t core_u32(const unsigned char *p)
{
    uint32_t n;

    memcpy(&n, p, sizeof(n));
    return le32toh(n);
}

static inline unsigned core_u16(const unsigned char *p)
{
    return (unsigned)(p[0] | p[1] << 8);
}

/* Bytes of the core; NULL: not there, or not in one piece. */
const unsigned char *core_bytes(const struct core_read *c, uint64_t at, uint64_t size);

/* The content of an NT_FILE note: adds modules in its order. 0 or -ENOMEM. */
int core_modules_add(struct core_read *c, const unsigned char *note, uint64_t size);

/* The program headers of a module, 64 at most; NULL: not in the core. */
const unsigned char *core_module_headers(const struct core_read *c, const struct core_module *m, unsigned *ret_count);

/* When all segments are known: sorts the modules, and finds the build-id and the base of each. */
void core_modules_finish(struct core_read *c);
