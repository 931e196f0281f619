/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that are believed for a short while: texts by a hash. Bounded; safe to use from many threads.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

enum { ANSWER_CACHE_HASH = 32, ANSWER_CACHE_VALUE_MAX = 8192 };

struct answer_cache;

struct answer_cache *answer_cache_new(void);
void answer_cache_free(struct answer_cache *c);

/* 1: it is there, appended to ret; 0: it is not, or too old; -ENOMEM. */
int answer_cache_get(struct answer_cache *c, const unsigned char hash[ANSWER_CACHE_HASH], uint64_t now_ms,
                     struct buf *ret);

/* Kept until until_ms, unless there is no memory or it is longer than ANSWER_CACHE_VALUE_MAX. */
void answer_cache_put(struct answer_cache *c, const unsigned char hash[ANSWER_CACHE_HASH], const struct buf *value,
                      uint64_t until_ms);
