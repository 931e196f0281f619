/* SPDX-License-Identifier: Apache-2.0
 *
 * A list and a hash of it.
 */
#include "jfr/jfr_counts.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 2 * JFR_NAMES_MAX };

static size_t slot_of(const struct jfr_counts *c, const char *name)
{
    uint64_t hash = 14695981039346656037ULL;
    size_t at;

    for (const char *p = name; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 1099511628211ULL;
    for (at = (size_t)(hash >> 32) % SLOTS; c->slots[at]; at = (at + 1) % SLOTS)
        if (strcmp(c->row[c->slots[at] - 1].name, name) == 0)
            break;
    return at;
}

static int begin(struct jfr_counts *c)
{
    c->row = calloc(JFR_NAMES_MAX, sizeof(*c->row));
    c->slots = calloc(SLOTS, sizeof(*c->slots));
    if (c->row && c->slots)
        return 0;
    jfr_counts_done(c);
    return -ENOMEM;
}

int jfr_counts_add(struct jfr_counts *c, const char *name, uint64_t weight)
{
    char cut[JFR_NAME_MAX];
    size_t at;

    assert(c && name);
    if (!c->row && begin(c) < 0)
        return -ENOMEM;
    snprintf(cut, sizeof(cut), "%s", name);
    c->total++;
    c->weight += weight;
    at = slot_of(c, cut);
    if (!c->slots[at]) {
        if (c->count == JFR_NAMES_MAX)
            return 0;
        memcpy(c->row[c->count].name, cut, sizeof(cut));
        c->slots[at] = (uint16_t)++c->count;
    }
    c->row[c->slots[at] - 1].count++;
    c->row[c->slots[at] - 1].weight += weight;
    return 0;
}

static int by_weight(const void *a, const void *b)
{
    const struct jfr_count *x = a, *y = b;

    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return strcmp(x->name, y->name);
}

void jfr_counts_sort(struct jfr_counts *c)
{
    if (c->count > 0)
        qsort(c->row, c->count, sizeof(*c->row), by_weight);
}

void jfr_counts_done(struct jfr_counts *c)
{
    free(c->row);
    free(c->slots);
    *c = (struct jfr_counts){0};
}
