/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Rows by name: those of both heaps in one list, sorted, and neighbours of the same name merged.
 */
#include "inspect/comparison.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/analysis.h"
#include "inspect/suspect_match.h"

enum { ANALYSIS_CLASSES_MAX = 10000, ANALYSIS_SETS_MAX = 1000 }; /* how many an analysis has, docs/inspect.md */

static bool is_digest(const json_t *heap)
{
    return text_eq(analysis_text(heap, "schema"), "salvage.digest/1");
}

bool comparison_can(const json_t *heap)
{
    return analysis_known(heap) || (is_digest(heap) && json_is_array(json_object_get(heap, "classes")));
}

int64_t comparison_growth(const uint64_t of[2])
{
    return (int64_t)of[1] - (int64_t)of[0];
}

/* A list in both heaps. */
struct listing {
    const char *field, *name;
    size_t full;      /* rows that an analysis has at most: with fewer none was left out */
    bool live;        /* without what is garbage */
    bool by_retained; /* the growth that counts */
    bool counts_rows; /* not their objects */
};

static void add(uint64_t *to, uint64_t n)
{
    *to = n > INT64_MAX - *to ? INT64_MAX : *to + n;
}

static uint64_t without(uint64_t all, uint64_t garbage)
{
    return all > garbage ? all - garbage : 0;
}

static void read_row(const json_t *from, const struct listing *l, unsigned side, struct comparison_row *ret)
{
    uint64_t count = analysis_number(from, "count"), bytes = analysis_number(from, "bytes");

    ret->name = analysis_text(from, l->name);
    ret->count[side] = l->counts_rows ? 1 : without(count, l->live ? analysis_number(from, "unreachable_count") : 0);
    ret->bytes[side] = without(bytes, l->live ? analysis_number(from, "unreachable_bytes") : 0);
    ret->retained[side] = analysis_number(from, "retained_bytes");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct comparison_row *)a)->name, ((const struct comparison_row *)b)->name);
}

static size_t merge(struct comparison_row *row, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !text_eq(row[kept - 1].name, row[i].name)) {
            row[kept++] = row[i];
            continue;
        }
        for (unsigned side = 0; side < 2; side++) {
            add(&row[kept - 1].count[side], row[i].count[side]);
            add(&row[kept - 1].bytes[side], row[i].bytes[side]);
            add(&row[kept - 1].retained[side], row[i].retained[side]);
        }
    }
    return kept;
}

static bool differs(const struct comparison_row *r)
{
    return r->count[0] != r->count[1] || r->bytes[0] != r->bytes[1] || r->retained[0] != r->retained[1];
}

static int by_growth(const void *a, const void *b, void *ctx)
{
    const struct comparison_row *x = a, *y = b;
    const struct listing *l = ctx;
    int64_t p = comparison_growth(l->by_retained ? x->retained : x->bytes);
    int64_t q = comparison_growth(l->by_retained ? y->retained : y->bytes);

    if (p != q)
        return p > q ? -1 : 1;
    p = comparison_growth(x->retained);
    q = comparison_growth(y->retained);
    return p != q ? (p > q ? -1 : 1) : strcmp(x->name, y->name);
}

static int compare_rows(const json_t *const heap[2], const struct listing *l, struct comparison_rows *ret)
{
    const json_t *list[2] = {json_object_get(heap[0], l->field), json_object_get(heap[1], l->field)};
    struct comparison_rows rows = {0};
    size_t all = 0, i, room = json_array_size(list[0]) + json_array_size(list[1]);
    const size_t most = (size_t)2 * COMPARISON_ROWS_MAX;
    json_t *from;

    if (!(rows.row = calloc((room < most ? room : most) + 1, sizeof(*rows.row))))
        return -ENOMEM;
    for (unsigned side = 0; side < 2; side++) {
        rows.cut =
            rows.cut || json_array_size(list[side]) >= l->full || analysis_number(heap[side], "classes_left_out") > 0;
        json_array_foreach(list[side], i, from)
        {
            if (i == COMPARISON_ROWS_MAX)
                break;
            read_row(from, l, side, &rows.row[all++]);
        }
    }
    qsort(rows.row, all, sizeof(*rows.row), by_name);
    all = merge(rows.row, all);
    for (i = 0; i < all; i++)
        if (differs(&rows.row[i]))
            rows.row[rows.count++] = rows.row[i];
    rows.same = all - rows.count;
    qsort_r(rows.row, rows.count, sizeof(*rows.row), by_growth, (void *)l);
    *ret = rows;
    return 0;
}

/* A digest knows nothing of retained sizes: neither are the other's compared. */
static void forget_retained(struct comparison_rows *rows)
{
    size_t kept = 0;

    for (size_t i = 0; i < rows->count; i++) {
        struct comparison_row *row = &rows->row[i];

        row->retained[0] = row->retained[1] = 0;
        if (differs(row))
            rows->row[kept++] = *row;
        else
            rows->same++;
    }
    rows->count = kept;
}

static int compare_lists(const json_t *const heap[2], struct comparison *c)
{
    const struct listing classes = {"classes",  "class", c->digest ? COMPARISON_ROWS_MAX + 1 : ANALYSIS_CLASSES_MAX,
                                    !c->digest, false,   false};
    const struct listing packages = {"packages", "package", ANALYSIS_SETS_MAX, false, true, false};
    const struct listing loaders = {"loaders", "loader", ANALYSIS_SETS_MAX, false, true, true};
    int r = compare_rows(heap, &classes, &c->classes);

    if (c->digest) {
        if (r == 0)
            forget_retained(&c->classes);
        return r;
    }
    if (r == 0)
        r = compare_rows(heap, &packages, &c->packages);
    if (r == 0)
        r = compare_rows(heap, &loaders, &c->loaders);
    return r;
}

/* digest: all objects are compared. */
static struct compared_heap read_heap(const json_t *heap, bool digest)
{
    struct compared_heap h = {.name = analysis_text(heap, "name"),
                              .time = analysis_text(heap, "time"),
                              .cut = analysis_text(heap, "cut"),
                              .digest = is_digest(heap),
                              .dump_bytes = analysis_number(heap, "dump_bytes"),
                              .objects = analysis_number(heap, "objects"),
                              .unreachable_objects = analysis_number(heap, "unreachable_objects"),
                              .unreachable_bytes = analysis_number(heap, "unreachable_bytes")};

    h.bytes = analysis_number(heap, h.digest ? "bytes" : "reachable_bytes");
    if (digest && !h.digest) {
        add(&h.objects, h.unreachable_objects);
        add(&h.bytes, h.unreachable_bytes);
    }
    return h;
}

int comparison_make(const json_t *before, const json_t *after, struct comparison *ret, struct err *e)
{
    const json_t *const heap[2] = {before, after};
    struct comparison c = {0};
    int r;

    assert(before && after && ret);
    for (unsigned side = 0; side < 2; side++)
        if (!comparison_can(heap[side]))
            return err_set(e, -FAULT_CORRUPT, "the %s is neither an analysis nor a digest of a heap",
                           side ? "second" : "first");
    c.digest = is_digest(before) || is_digest(after);
    for (unsigned side = 0; side < 2; side++)
        c.heap[side] = read_heap(heap[side], c.digest);
    if ((r = compare_lists(heap, &c)) < 0) {
        comparison_done(&c);
        return err_set(e, r, "out of memory");
    }
    if (!c.digest)
        suspects_match(before, after, &c);
    *ret = c;
    return 0;
}

void comparison_done(struct comparison *c)
{
    free(c->classes.row);
    free(c->packages.row);
    free(c->loaders.row);
    *c = (struct comparison){0};
}
