/* SPDX-License-Identifier: Apache-2.0
 *
 * A map of ids, and before it a filter that nearly all arrays do not pass.
 */
#include "hprof/static_arrays.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

static int add_field(struct static_arrays *s, uint64_t id, uint64_t name_id, uint32_t class)
{
    uint32_t bit = (uint32_t)(id >> 3) & (STATIC_BITS - 1);
    int r;

    if (s->by_id.slots && id_map_get(&s->by_id, id) != ID_MAP_NONE) /* of two fields the first counts */
        return 0;
    r = array_reserve(&s->field, s->count + 1, &s->capacity, sizeof(*s->field), STATIC_ARRAYS_MAX);
    if (r == -E2BIG) {
        s->left_out = true;
        return 0;
    }
    if (r < 0 || (r = id_map_put(&s->by_id, id, (uint32_t)s->count)) < 0)
        return r;
    s->field[s->count++] = (struct static_field){.name_id = name_id, .class = class};
    s->filter[bit / 8] |= (unsigned char)(1u << bit % 8);
    return 0;
}

int static_arrays_add(struct static_arrays *s, const struct heap_reader *format, const struct heap_class *c,
                      uint32_t class)
{
    unsigned id_size = format->id_size;
    const unsigned char *p = c->statics;

    assert(s && format && c);
    for (unsigned i = 0; i < c->static_count; i++) {
        uint64_t id = p[id_size] == HEAP_OBJECT ? heap_id(format, p + id_size + 1) : 0;
        int r = id ? add_field(s, id, heap_id(format, p), class) : 0;

        if (r < 0)
            return r;
        p += id_size + 1 + heap_type_size(format, p[id_size]);
    }
    return 0;
}

void static_arrays_meet(struct static_arrays *s, uint64_t id, const struct static_field *array)
{
    uint32_t i = static_arrays_may_have(s, id) ? id_map_get(&s->by_id, id) : ID_MAP_NONE;

    assert(array->bytes >= STATIC_ARRAY_LEAST);
    if (i == ID_MAP_NONE)
        return;
    s->field[i].bytes = array->bytes;
    s->field[i].array_class = array->array_class;
    s->field[i].length = array->length;
}

static int most_first(const void *a, const void *b)
{
    const struct static_row *x = a, *y = b;

    return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : x->class < y->class ? -1 : x->class > y->class;
}

/* Fields of a class lie in a row: its record has all of them. */
int static_arrays_rows(const struct static_arrays *s, struct static_row **ret, size_t *ret_count)
{
    struct static_row *rows = calloc(s->count + 1, sizeof(*rows));
    size_t count = 0;

    assert(ret && ret_count);
    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < s->count; i++) {
        const struct static_field *f = &s->field[i];
        struct static_row *row = count > 0 && rows[count - 1].class == f->class ? &rows[count - 1] : &rows[count];

        if (f->bytes == 0)
            continue;
        if (row == &rows[count]) {
            *row = (struct static_row){.class = f->class, .largest = (uint32_t)i};
            count++;
        }
        row->bytes += f->bytes;
        row->count++;
        if (f->bytes > s->field[row->largest].bytes)
            row->largest = (uint32_t)i;
    }
    qsort(rows, count, sizeof(*rows), most_first);
    *ret = rows;
    *ret_count = count;
    return 0;
}

void static_arrays_done(struct static_arrays *s)
{
    free(s->field);
    id_map_done(&s->by_id);
    *s = (struct static_arrays){0};
}
