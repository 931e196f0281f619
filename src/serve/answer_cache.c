/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of a few slots: the one that ends first makes room. The hashes are SHA-256, so nobody can fill one set.
 */
#include "serve/answer_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SLOTS = 2048, WAYS = 4 };

struct slot {
    unsigned char hash[ANSWER_CACHE_HASH];
    uint64_t until_ms; /* 0: empty */
    char *value;
    size_t size;
};

struct answer_cache {
    pthread_mutex_t lock;
    struct slot slot[SLOTS];
};

struct answer_cache *answer_cache_new(void)
{
    struct answer_cache *c = calloc(1, sizeof(*c));

    if (c)
        pthread_mutex_init(&c->lock, NULL);
    return c;
}

void answer_cache_free(struct answer_cache *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        free(c->slot[i].value);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static struct slot *first_of(struct answer_cache *c, const unsigned char hash[ANSWER_CACHE_HASH])
{
    size_t number = (size_t)hash[0] | (size_t)hash[1] << 8;

    return &c->slot[number % (SLOTS / WAYS) * WAYS];
}

int answer_cache_get(struct answer_cache *c, const unsigned char hash[ANSWER_CACHE_HASH], uint64_t now_ms,
                     struct buf *ret)
{
    const struct slot *first;
    int r = 0;

    pthread_mutex_lock(&c->lock);
    first = first_of(c, hash);
    for (const struct slot *s = first; s < first + WAYS && r == 0; s++)
        if (s->until_ms > now_ms && memcmp(s->hash, hash, ANSWER_CACHE_HASH) == 0)
            r = buf_add(ret, s->value, s->size) < 0 ? -ENOMEM : 1;
    pthread_mutex_unlock(&c->lock);
    return r;
}

void answer_cache_put(struct answer_cache *c, const unsigned char hash[ANSWER_CACHE_HASH], const struct buf *value,
                      uint64_t until_ms)
{
    CLEANUP_FREE char *copy = value->size <= ANSWER_CACHE_VALUE_MAX ? malloc(value->size + 1) : NULL;
    struct slot *first, *to;

    if (!copy)
        return;
    memcpy(copy, buf_text(value), value->size + 1);
    pthread_mutex_lock(&c->lock);
    first = to = first_of(c, hash);
    for (struct slot *s = first; s < first + WAYS; s++) {
        if (s->until_ms && memcmp(s->hash, hash, ANSWER_CACHE_HASH) == 0) {
            to = s;
            break;
        }
        if (s->until_ms < to->until_ms)
            to = s;
    }
    free(to->value);
    to->value = TAKE_PTR(copy);
    to->size = value->size;
    to->until_ms = until_ms;
    memcpy(to->hash, hash, ANSWER_CACHE_HASH);
    pthread_mutex_unlock(&c->lock);
}
