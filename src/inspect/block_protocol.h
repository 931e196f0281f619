/* SPDX-License-Identifier: Apache-2.0
 *
 * Protocol: the process that analyses a dump, from its sandbox, to the one that can read the store: plain blocks of the
 * dump on demand, in the slots of a memfd that both share. On a SOCK_SEQPACKET pair: first the geometry, then questions
 * and answers, one at a time.
 */
#pragma once

#include <stdint.h>

enum { BLOCK_EVICTED_MAX = 16, BLOCK_ALIGNMENT = 64 * 1024, BLOCK_BYTES_MAX = 8 * 1024 * 1024 };

struct block_geometry {
    uint64_t size;        /* of the dump, plain bytes */
    uint64_t block_bytes; /* of each but the last; a multiple of BLOCK_ALIGNMENT */
};

struct block_question {
    uint64_t block;
};

/* slot holds the block asked for. The evicted blocks are unmapped before the next question: their slots then get other
 * blocks. */
struct block_answer {
    uint32_t slot;
    uint32_t evicted_count;
    uint64_t evicted[BLOCK_EVICTED_MAX];
};
