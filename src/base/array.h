/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrays that grow by doubling, up to a ceiling. The caller keeps the pointer, the count and the capacity in fields of
 * its choice, zero at first, and frees the pointer with free().
 */
#pragma once

#include <stddef.h>

/* Makes room for at least need elements of item_size bytes. array is the address of the pointer (a T **), capacity
 * counts elements. 0; -E2BIG if need is above ceiling; -ENOMEM. On failure the array is as before. New elements are not
 * zeroed.
 *
 *     if ((r = array_reserve(&j->part, j->count + 1, &j->capacity, sizeof(*j->part), PARTS_MAX)) < 0)
 *         return r;
 *     j->part[j->count++] = part; */
int array_reserve(void *array, size_t need, size_t *capacity, size_t item_size, size_t ceiling);
