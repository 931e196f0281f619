/* SPDX-License-Identifier: Apache-2.0
 *
 * A progress bar on a terminal: name, bar, bytes, rate, remaining time; without the bar where the total is unknown (0),
 * or was estimated too low. Draws nothing if stderr is not a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *name; /* borrowed */
    bool terminal, drawn;
    uint64_t begun_ms, drawn_ms, first; /* first: bytes done by an earlier run */
};

void progress_begin(struct progress *p, const char *name);
void progress_skip(struct progress *p, uint64_t bytes); /* done by an earlier run: not part of the rate */
void progress_show(struct progress *p, uint64_t done, uint64_t total);
void progress_clear(struct progress *p);                              /* before any other line */
void progress_end(struct progress *p, uint64_t done, uint64_t total); /* the final state, left on the screen */
