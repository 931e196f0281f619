/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast heap dumps are written on this machine: the rate of the last dump, reported through a memfd by the process
 * that requested it; a guess before the first. Small dumps are ignored: most of their time is not writing.
 */
#pragma once

#include <stdint.h>

/* Bytes a second. Rates above MAX are not relied on: memory was free when they were measured. */
#define DUMPSPEED_GUESS (UINT64_C(100) << 20)
#define DUMPSPEED_MIN (UINT64_C(5) << 20)
#define DUMPSPEED_MAX (UINT64_C(200) << 20)

struct dumpspeed {
    int fd;        /* owned; inherited by the process that measures */
    uint64_t rate; /* bytes a second */
};

/* given: the user's rate, which is never changed; 0: none. 0 or -errno. */
int dumpspeed_init(struct dumpspeed *s, uint64_t given);
void dumpspeed_done(struct dumpspeed *s);

/* Makes the last reported rate the current one. */
void dumpspeed_update(struct dumpspeed *s);

/* Called in another process that has the descriptor: a dump of so many bytes took so long. */
void dumpspeed_report(int fd, uint64_t bytes, uint64_t ms);
