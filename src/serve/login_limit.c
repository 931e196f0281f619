/* SPDX-License-Identifier: Apache-2.0
 *
 * Two tables by hash, each slot the last that fell into it: an address that is displaced has its tries back, which a
 * guesser with many addresses has anyway.
 */
#include "serve/login_limit.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESSES = 4096, KNOWN = 1024, EVENT_MS = 60 * 1000, KEY_SIZE = 16, WAYS = 4 };

struct address {
    unsigned char key[KEY_SIZE]; /* an address, or its network */
    uint64_t empty_until_ms;     /* each failure adds LOGIN_LIMIT_EACH_MS to it: a bucket that drains with time */
    uint64_t event_ms;
    unsigned failures;
};

struct login_limit {
    pthread_mutex_t lock;
    uint64_t seed;
    struct address address[ADDRESSES];
    unsigned char known[KNOWN][LOGIN_LIMIT_HASH];
};

struct login_limit *login_limit_new(void)
{
    struct login_limit *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    if (RAND_bytes((unsigned char *)&l->seed, sizeof(l->seed)) != 1) {
        free(l);
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void login_limit_free(struct login_limit *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void make_key(const char *text, unsigned char key[KEY_SIZE])
{
    memset(key, 0, KEY_SIZE);
    if (inet_pton(AF_INET6, text, key) == 1) {
        static const unsigned char MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

        if (memcmp(key, MAPPED, sizeof(MAPPED)) != 0)
            memset(key + 8, 0, KEY_SIZE - 8);
    } else if (inet_pton(AF_INET, text, key + 12) == 1) {
        key[10] = key[11] = 0xff;
    }
}

static uint64_t mix(uint64_t seed, const unsigned char *data, size_t size)
{
    uint64_t h = seed ^ 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * 0x100000001b3u;
    return h ^ (h >> 29);
}

/* The slot of this address; without one, of its WAYS slots the one that waits least (make), or NULL. */
static struct address *slot(struct login_limit *l, const char *text, bool make)
{
    unsigned char key[KEY_SIZE];
    struct address *least;
    uint64_t first;

    make_key(text, key);
    first = mix(l->seed, key, KEY_SIZE) % (ADDRESSES - WAYS);
    least = &l->address[first];
    for (uint64_t i = first; i < first + WAYS; i++) {
        struct address *a = &l->address[i];

        if (a->empty_until_ms && memcmp(a->key, key, KEY_SIZE) == 0)
            return a;
        if (a->empty_until_ms < least->empty_until_ms)
            least = a;
    }
    if (!make)
        return NULL;
    *least = (struct address){0};
    memcpy(least->key, key, KEY_SIZE);
    return least;
}

static unsigned char *known(struct login_limit *l, const unsigned char hash[LOGIN_LIMIT_HASH])
{
    return l->known[mix(l->seed, hash, LOGIN_LIMIT_HASH) % KNOWN];
}

uint64_t login_limit_wait(struct login_limit *l, const char *address, const unsigned char hash[LOGIN_LIMIT_HASH],
                          uint64_t now_ms)
{
    const uint64_t room = (uint64_t)LOGIN_LIMIT_BURST * LOGIN_LIMIT_EACH_MS;
    uint64_t wait = 0;
    struct address *a;

    pthread_mutex_lock(&l->lock);
    if ((a = slot(l, address, false)) && a->empty_until_ms > now_ms + room - LOGIN_LIMIT_EACH_MS &&
        CRYPTO_memcmp(known(l, hash), hash, LOGIN_LIMIT_HASH) != 0)
        wait = a->empty_until_ms - (now_ms + room - LOGIN_LIMIT_EACH_MS);
    pthread_mutex_unlock(&l->lock);
    return wait;
}

bool login_limit_failed(struct login_limit *l, const char *address, uint64_t now_ms, unsigned *ret_failures)
{
    struct address *a;
    bool worth;

    pthread_mutex_lock(&l->lock);
    a = slot(l, address, true);
    a->empty_until_ms = (a->empty_until_ms > now_ms ? a->empty_until_ms : now_ms) + LOGIN_LIMIT_EACH_MS;
    a->failures++;
    if ((worth = a->event_ms == 0 || now_ms - a->event_ms >= EVENT_MS)) {
        *ret_failures = a->failures;
        a->failures = 0;
        a->event_ms = now_ms;
    }
    pthread_mutex_unlock(&l->lock);
    return worth;
}

void login_limit_succeeded(struct login_limit *l, const unsigned char hash[LOGIN_LIMIT_HASH])
{
    pthread_mutex_lock(&l->lock);
    memcpy(known(l, hash), hash, LOGIN_LIMIT_HASH);
    pthread_mutex_unlock(&l->lock);
}
