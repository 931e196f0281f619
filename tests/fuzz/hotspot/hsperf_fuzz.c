/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a file of counters: what is found lies within them, each entry is found once, and a look-up finds what
 * the walk finds. The same counters are then laid out as jstat's views, and the heap is read from them.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/hsperf.h"
#include "hotspot/jstat.h"
#include "hotspot/jvmheap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_entry(const struct hsperf *h, const struct hsperf_entry *e)
{
    const unsigned char *name = (const unsigned char *)e->name, *end = h->data + h->size;
    char text[16];
    int64_t n;

    assert(name >= h->data + HSPERF_PROLOGUE_SIZE && name < end && (size_t)(end - name) > e->name_size);
    assert(strlen(e->name) == e->name_size);
    assert(e->value >= h->data + HSPERF_PROLOGUE_SIZE && e->value < end && (size_t)(end - e->value) >= e->value_size);
    if (e->type == 'J')
        assert(e->value_size == 8 && hsperf_long(h, e->name, &n));
    else
        assert(e->type == 'B' && hsperf_string(h, e->name, text, sizeof(text)) && strlen(text) < sizeof(text));
}

static void check_heap(const struct hsperf *h)
{
    struct jvmheap heap;

    jvmheap_read(h, &heap);
    assert((heap.used == -1 || heap.used > 0) && (heap.max == -1 || heap.max > 0));
}

static void check_views(const struct hsperf *h)
{
    for (enum jstat_view view = 0; view < JSTAT_VIEWS; view++) {
        CLEANUP(buf_done) struct buf row = {0}, json = {0};
        double seconds = jstat_uptime(h, 0);

        assert(jstat_row(view, h, &seconds, &row) == 0);
        assert(row.size > 0 && row.data[row.size - 1] == '\n' && strlen(row.data) == row.size);
        assert(memchr(row.data, '\n', row.size) == row.data + row.size - 1);
        assert(jstat_json(view, &(struct jstat_sample){h, 1, 0, seconds}, &json) == 0);
        assert(json.data[0] == '{' && json.data[json.size - 1] == '\n');
    }
}

/* Alone, and behind a prologue that is right. */
static void check(const uint8_t *data, size_t size)
{
    struct hsperf h;
    struct hsperf_entry entry;
    size_t at = 0, count = 0;

    if (hsperf_init(&h, data, size) < 0)
        return;
    while (hsperf_next(&h, &at, &entry)) {
        assert(at <= size);
        if (count++ < 64) /* each look-up is a walk */
            check_entry(&h, &entry);
    }
    assert(count <= size / 20);
    check_views(&h);
    check_heap(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t prologue[HSPERF_PROLOGUE_SIZE] = {0xca, 0xfe, 0xc0, 0xc0, 1, 2, 0, 1, [24] = 32};
    uint8_t *file = malloc(size + sizeof(prologue));

    assert(file);
    check(data, size);
    memcpy(file, prologue, sizeof(prologue));
    if (size > 0)
        memcpy(file + sizeof(prologue), data, size);
    check(file, size + sizeof(prologue));
    free(file);
    return 0;
}
