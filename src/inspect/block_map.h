/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump as memory, though most of it is elsewhere: a range of addresses whose blocks are mapped when they are first
 * touched (SIGSEGV), and given back when others need their room. For any number of threads. Not for system calls: they
 * fail with EFAULT where a block is not mapped. A map lasts as long as its process.
 */
#pragma once

#include "base/err.h"
#include "inspect/block_protocol.h"

enum { BLOCK_MAPS_MAX = 2 };

struct block_map {
    void *data;
    uint64_t size;
};

/* The first message: before the sandbox is entered, for its limits. */
int block_map_geometry(int channel, struct block_geometry *ret, struct err *e);

/* channel and memory (the memfd) stay open. */
int block_map_new(int channel, int memory, const struct block_geometry *g, struct block_map *ret, struct err *e);
