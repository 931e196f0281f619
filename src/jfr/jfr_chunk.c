/* SPDX-License-Identifier: Apache-2.0
 *
 * Types and constants are found by passing over all events: the offsets in the header are those of the last flush only.
 */
#include "jfr/jfr_chunk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum {
    MAJOR_AT = 4,
    SIZE_AT = 8,
    START_AT = 32,
    DURATION_AT = 40,
    TICKS_AT = 48,
    FREQUENCY_AT = 56,
    STATE_AT = 64,
    FLAGS_AT = 67,
    FLAG_COMPRESSED = 1,
    MAJOR = 2
};
enum { TYPE_METADATA = 0, TYPE_CHECKPOINT = 1 };

static uint64_t u64_at(const unsigned char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return __builtin_bswap64(v);
}

static struct jfr_cursor cursor(const struct jfr_chunk *c, const unsigned char *from, const unsigned char *end)
{
    return (struct jfr_cursor){.p = from, .end = end, .compressed = c->compressed};
}

bool jfr_chunk_next(const struct jfr_chunk *c, const unsigned char **at, struct jfr_event *ret)
{
    struct jfr_cursor k = cursor(c, *at, c->end);
    uint64_t size;

    if (*at >= c->end)
        return false;
    size = jfr_number(&k, 4);
    if (k.bad || size < (uint64_t)(k.p - *at) || size > (uint64_t)(c->end - *at))
        return false;
    k.end = *at + size;
    ret->type = jfr_number(&k, 8);
    if (k.bad)
        return false;
    ret->fields = k;
    *at = k.end;
    return true;
}

/* The constants of one class in a checkpoint. */
static int read_constants(struct jfr_chunk *c, struct jfr_cursor *k, const bool *wanted, size_t *steps)
{
    int class = jfr_types_by_id(&c->types, jfr_number(k, 8)), r;
    uint64_t count = jfr_number(k, 4);

    if (class == JFR_NONE)
        k->bad = true;
    for (uint64_t i = 0; i < count && !k->bad; i++) {
        uint64_t key = jfr_number(k, 8);
        const unsigned char *at = k->p;

        if (!jfr_value_skip(&c->types, k, class, steps) || !wanted[class])
            continue;
        if ((r = array_reserve(&c->constants, c->constant_count + 1, &c->constant_capacity, sizeof(*c->constants),
                               JFR_CONSTANTS_MAX)) == -E2BIG)
            c->cut = "it has too many constants";
        if (r < 0)
            return r;
        c->constants[c->constant_count++] = (struct jfr_constant){.key = key, .at = at, .class = class};
    }
    return 0;
}

static int read_checkpoint(struct jfr_chunk *c, struct jfr_cursor k, const bool *wanted)
{
    size_t steps = jfr_steps_for((size_t)(k.end - k.p));
    uint64_t pools;
    int r = 0;

    jfr_number(&k, 8); /* start, duration, distance to the one before */
    jfr_number(&k, 8);
    jfr_number(&k, 8);
    jfr_fixed(&k, 1); /* its kind */
    pools = jfr_number(&k, 4);
    for (uint64_t i = 0; i < pools && !k.bad && r == 0; i++)
        r = read_constants(c, &k, wanted, &steps);
    if (k.bad && !c->cut)
        c->cut = "constants are damaged";
    return r == -E2BIG ? 0 : r;
}

static int by_key(const void *a, const void *b)
{
    const struct jfr_constant *x = a, *y = b;

    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* The last types count; those of another chunk are copied, as this one owns what it has. */
static int find_types(struct jfr_chunk *c, const struct jfr_types *before)
{
    const unsigned char *at = c->from;
    struct jfr_event event;
    int r;

    while (jfr_chunk_next(c, &at, &event)) {
        struct jfr_types types;

        if (event.type != TYPE_METADATA)
            continue;
        if ((r = jfr_types_read(event.fields, &types)) == -ENOMEM)
            return r;
        if (r < 0)
            continue;
        jfr_types_done(&c->types);
        c->types = types;
    }
    if (at < c->end && !c->cut)
        c->cut = c->finished ? "an event in it is damaged" : "it ends inside an event";
    if (c->types.class_count > 0 || !before || before->class_count == 0)
        return 0;
    return jfr_types_copy(before, &c->types);
}

static int find_constants(struct jfr_chunk *c, const char *const *names)
{
    const unsigned char *at = c->from;
    struct jfr_event event;
    bool *wanted = calloc(c->types.class_count + 1, sizeof(*wanted));
    int r = wanted ? 0 : -ENOMEM;

    for (size_t i = 0; wanted && names[i]; i++) {
        int class = jfr_types_by_name(&c->types, names[i]);

        if (class != JFR_NONE)
            wanted[class] = true;
    }
    while (r == 0 && c->types.class_count > 0 && jfr_chunk_next(c, &at, &event))
        if (event.type == TYPE_CHECKPOINT)
            r = read_checkpoint(c, event.fields, wanted);
    free(wanted);
    if (c->constant_count > 0)
        qsort(c->constants, c->constant_count, sizeof(*c->constants), by_key);
    return r;
}

static void read_header(struct jfr_chunk *c, const unsigned char *p, const unsigned char *end)
{
    uint64_t size = u64_at(p + SIZE_AT);

    *c = (struct jfr_chunk){.from = p + JFR_HEADER,
                            .end = end,
                            .start_ns = u64_at(p + START_AT),
                            .duration_ns = u64_at(p + DURATION_AT),
                            .start_ticks = u64_at(p + TICKS_AT),
                            .ticks_per_second = u64_at(p + FREQUENCY_AT),
                            .compressed = p[FLAGS_AT] & FLAG_COMPRESSED,
                            .finished = size >= JFR_HEADER && p[STATE_AT] == 0};
    if (!c->finished)
        c->cut = "the JVM did not finish it";
    else if (size > (uint64_t)(end - p))
        c->cut = "it is cut short";
    else
        c->end = p + size;
    if (c->ticks_per_second == 0)
        c->ticks_per_second = 1000ull * 1000 * 1000;
}

int jfr_chunk_open(struct jfr_place place, const char *const *constants, const struct jfr_types *before,
                   struct jfr_chunk *ret, const unsigned char **ret_next)
{
    const unsigned char *p = place.data;
    struct jfr_chunk c;
    int r;

    assert(p && constants && ret && ret_next);
    if (place.size < JFR_HEADER || memcmp(p, "FLR", 4) != 0)
        return -EBADMSG;
    read_header(&c, p, p + place.size);
    *ret_next = c.end;
    if ((p[MAJOR_AT] << 8 | p[MAJOR_AT + 1]) != MAJOR)
        return -EPROTONOSUPPORT;
    if ((r = find_types(&c, before)) < 0 || (r = find_constants(&c, constants)) < 0) {
        jfr_chunk_done(&c);
        return r;
    }
    *ret = c;
    return 0;
}

void jfr_chunk_done(struct jfr_chunk *c)
{
    jfr_types_done(&c->types);
    free(c->constants);
    c->constants = NULL;
    c->constant_count = c->constant_capacity = 0;
}

bool jfr_constant_find(const struct jfr_chunk *c, int class, uint64_t key, struct jfr_cursor *ret)
{
    const struct jfr_constant wanted = {.key = key, .class = class},
                              *found = c->constant_count == 0 ? NULL
                                                              : bsearch(&wanted, c->constants, c->constant_count,
                                                                        sizeof(*c->constants), by_key);

    if (!found)
        return false;
    *ret = cursor(c, found->at, c->end);
    return true;
}

uint64_t jfr_ticks_ns(const struct jfr_chunk *c, uint64_t ticks)
{
    long double ns = (long double)ticks * 1e9L / (long double)c->ticks_per_second;

    return ns < 9e18L ? (uint64_t)ns : 0;
}
