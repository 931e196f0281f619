/* SPDX-License-Identifier: Apache-2.0
 *
 * How often an address may present what is not valid: a few times at once, then one in some seconds, so that nothing
 * can be guessed by trying. Credentials that were valid before are not held back: who shares an address with a guesser
 * goes on. Bounded; safe to use from many threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { LOGIN_LIMIT_BURST = 20, LOGIN_LIMIT_EACH_MS = 6000, LOGIN_LIMIT_HASH = 32 };

struct login_limit;

struct login_limit *login_limit_new(void);
void login_limit_free(struct login_limit *l);

/* 0, or for how many milliseconds a credential of this SHA-256 from this address ("10.0.0.1", "2001:db8::1", of which
 * the first 64 bits count) is not even looked at. */
uint64_t login_limit_wait(struct login_limit *l, const char *address, const unsigned char hash[LOGIN_LIMIT_HASH],
                          uint64_t now_ms);

/* What came of one that was looked at. True for a failure that is worth an event: the first, and then one a minute for
 * each address; *ret_failures: since the last event. */
bool login_limit_failed(struct login_limit *l, const char *address, uint64_t now_ms, unsigned *ret_failures);
void login_limit_succeeded(struct login_limit *l, const unsigned char hash[LOGIN_LIMIT_HASH]);
