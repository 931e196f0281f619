/* SPDX-License-Identifier: Apache-2.0
 *
 * The caller's pointer is read and written by memcpy: its type is not known here.
 */
#include "base/array.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 16 };

int array_reserve(void *array, size_t need, size_t *capacity, size_t item_size, size_t ceiling)
{
    size_t wanted = *capacity > ceiling / 2 ? ceiling : *capacity * 2, bytes;
    void *item, *grown;

    assert(array && item_size > 0);
    if (need > ceiling)
        return -E2BIG;
    if (need <= *capacity)
        return 0;
    if (wanted < FIRST_CAPACITY && ceiling >= FIRST_CAPACITY)
        wanted = FIRST_CAPACITY;
    if (wanted < need)
        wanted = need;
    memcpy(&item, array, sizeof(item));
    if (__builtin_mul_overflow(wanted, item_size, &bytes) || !(grown = realloc(item, bytes)))
        return -ENOMEM;
    memcpy(array, &grown, sizeof(grown));
    *capacity = wanted;
    return 0;
}
