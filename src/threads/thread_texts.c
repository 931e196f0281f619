/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing over numbers; the bytes lie in chunks that never move.
 */
#include "threads/thread_texts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "threads/thread_dump.h"

enum { CHUNK = 64 * 1024, TEXTS_MAX = UINT32_MAX / 4, SLOTS_FIRST = 1024 };

struct chunk {
    struct chunk *next;
    size_t used;
    char bytes[CHUNK];
};

struct thread_texts {
    struct chunk *chunk;
    const char **text;
    size_t count, capacity;
    uint32_t *slot; /* number + 1; 0: free */
    size_t slots;   /* a power of two */
};

struct thread_texts *thread_texts_new(void)
{
    struct thread_texts *t = calloc(1, sizeof(*t));

    if (t && !(t->slot = calloc(SLOTS_FIRST, sizeof(*t->slot)))) {
        free(t);
        return NULL;
    }
    if (t)
        t->slots = SLOTS_FIRST;
    return t;
}

void thread_texts_free(struct thread_texts *t)
{
    if (!t)
        return;
    while (t->chunk) {
        struct chunk *next = t->chunk->next;

        free(t->chunk);
        t->chunk = next;
    }
    free(t->text);
    free(t->slot);
    free(t);
}

const char *const *thread_texts_all(const struct thread_texts *t)
{
    return t->text;
}

static uint32_t *slot_of(struct thread_texts *t, const char *text, size_t size)
{
    size_t at = XXH3_64bits(text, size) & (t->slots - 1);

    while (t->slot[at]) {
        const char *other = t->text[t->slot[at] - 1];

        if (strncmp(other, text, size) == 0 && other[size] == '\0')
            break;
        at = (at + 1) & (t->slots - 1);
    }
    return &t->slot[at];
}

static bool grow(struct thread_texts *t)
{
    uint32_t *slot = calloc(t->slots * 2, sizeof(*slot)), *old = t->slot;

    if (!slot)
        return false;
    t->slot = slot;
    t->slots *= 2;
    for (size_t i = 0; i < t->count; i++)
        *slot_of(t, t->text[i], strlen(t->text[i])) = (uint32_t)i + 1;
    free(old);
    return true;
}

static const char *store(struct thread_texts *t, const char *text, size_t size)
{
    struct chunk *c = t->chunk;
    char *at;

    if (!c || sizeof(c->bytes) - c->used <= size) {
        if (!(c = malloc(sizeof(*c))))
            return NULL;
        c->next = t->chunk;
        c->used = 0;
        t->chunk = c;
    }
    at = c->bytes + c->used;
    memcpy(at, text, size);
    at[size] = '\0';
    c->used += size + 1;
    return at;
}

uint32_t thread_texts_add(struct thread_texts *t, const char *text, size_t size)
{
    char clean[THREAD_TEXT_MAX];
    uint32_t *slot;

    if (size > sizeof(clean))
        size = sizeof(clean);
    if (memchr(text, '\0', size)) {
        for (size_t i = 0; i < size; i++)
            clean[i] = text[i] ? text[i] : '?';
        text = clean;
    }
    if ((t->count + 1) * 2 > t->slots && !grow(t))
        return UINT32_MAX;
    slot = slot_of(t, text, size);
    if (*slot)
        return *slot - 1;
    if (array_reserve(&t->text, t->count + 1, &t->capacity, sizeof(*t->text), TEXTS_MAX) < 0 ||
        !(t->text[t->count] = store(t, text, size)))
        return UINT32_MAX;
    *slot = (uint32_t)++t->count;
    return (uint32_t)t->count - 1;
}
