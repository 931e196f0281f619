/* SPDX-License-Identifier: Apache-2.0
 *
 * Open addressing; ids are digests, and need no further hashing.
 */
#include "watch/idset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int number_of(const char *id, uint64_t *ret)
{
    uint64_t number;

    if (text_unhex(id, &number, sizeof(number)) < 0)
        return -EINVAL;
    *ret = number ? number : 1;
    return 0;
}

static void put(struct idset *s, uint64_t number)
{
    size_t at = number & (s->capacity - 1);

    while (s->slot[at] && s->slot[at] != number)
        at = (at + 1) & (s->capacity - 1);
    if (!s->slot[at])
        s->count++;
    s->slot[at] = number;
}

int idset_add(struct idset *s, const char *id)
{
    uint64_t number;

    if (number_of(id, &number) < 0)
        return -EINVAL;
    if (s->count * 2 >= s->capacity) {
        struct idset larger = {.capacity = s->capacity ? s->capacity * 2 : 64};

        if (!(larger.slot = calloc(larger.capacity, sizeof(*larger.slot))))
            return -ENOMEM;
        for (size_t i = 0; i < s->capacity; i++)
            if (s->slot[i])
                put(&larger, s->slot[i]);
        free(s->slot);
        *s = larger;
    }
    put(s, number);
    return 0;
}

bool idset_has(const struct idset *s, const char *id)
{
    uint64_t number;

    if (s->capacity == 0 || number_of(id, &number) < 0)
        return false;
    for (size_t at = number & (s->capacity - 1); s->slot[at]; at = (at + 1) & (s->capacity - 1))
        if (s->slot[at] == number)
            return true;
    return false;
}

void idset_remove(struct idset *s, const char *id)
{
    uint64_t number;
    size_t at;

    if (!idset_has(s, id) || number_of(id, &number) < 0)
        return;
    for (at = number & (s->capacity - 1); s->slot[at] != number;)
        at = (at + 1) & (s->capacity - 1);
    s->slot[at] = 0;
    s->count--;
    /* The entries behind it may have been displaced: insert them again. */
    for (at = (at + 1) & (s->capacity - 1); s->slot[at]; at = (at + 1) & (s->capacity - 1)) {
        number = s->slot[at];
        s->slot[at] = 0;
        s->count--;
        put(s, number);
    }
}

void idset_done(struct idset *s)
{
    free(s->slot);
    *s = (struct idset){0};
}
