/* SPDX-License-Identifier: Apache-2.0
 *
 * When one request to a store is sent again: up to five tries within about ten seconds (base/retry.h). What lasts
 * longer is left to the caller, who goes on from the journal.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/retry.h"

/* After a try that failed with result and e. True: wait *ret_delay_ms, then send it again. state: zeroed before the
 * first try; since_ms may be set to count the time of the first try, too. */
bool request_retry(struct retry_state *state, int result, const struct err *e, uint64_t *ret_delay_ms);

/* Waits for the next try: 0, or negative to give up at once. */
struct request_patience {
    int (*wait)(void *ctx, const struct err *trouble, uint64_t delay_ms);
    void *ctx;
};

/* request_retry, and the wait: 0 if it is to be sent again now, else result. patience NULL: sleeps. */
int request_retry_wait(struct retry_state *state, const struct request_patience *patience, int result,
                       const struct err *e);
