/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast heap dumps are written on this machine: as the last one was, told by the process that had it made through a
 * file in memory; before the first a guess. Small dumps say nothing: most of their time is no writing.
 */
#pragma once

#include <stdint.h>

/* Bytes a second. Never more than MAX is counted on: memory was free when it was measured. */
#define DUMPSPEED_GUESS (UINT64_C(100) << 20)
#define DUMPSPEED_MIN (UINT64_C(5) << 20)
#define DUMPSPEED_MAX (UINT64_C(200) << 20)

struct dumpspeed {
    int fd;        /* owned; to be inherited by who measures */
    uint64_t rate; /* bytes a second */
};

/* given: a person's word, which stays; 0: none. 0 or -errno. */
int dumpspeed_init(struct dumpspeed *s, uint64_t given);
void dumpspeed_done(struct dumpspeed *s);

/* What was reported since the last call, if anything, becomes the rate. */
void dumpspeed_learn(struct dumpspeed *s);

/* Another process, with the descriptor: so many bytes took so long. */
void dumpspeed_report(int fd, uint64_t bytes, uint64_t ms);
