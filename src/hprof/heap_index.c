/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages are found by a table that maps the page's number directly where the addresses lie close together, as a JVM's
 * do, else by binary search.
 */
#include "hprof/heap_index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { PLACE_BITS = 15, PLACES = 1 << PLACE_BITS, WORDS = PLACES / 64 };
enum { DIRECT_MAX = 1 << 22 }; /* entries of the table */

/* Side by side, for one cache miss instead of two. */
struct word {
    uint64_t bits;
    uint16_t rank; /* objects of the page before it */
} __attribute__((packed));

struct page {
    uint64_t number; /* of the page: id >> shift >> PLACE_BITS */
    uint32_t base;   /* objects before it */
    struct word word[WORDS];
};

struct heap_index {
    unsigned shift;
    bool sealed;
    struct page **page; /* sorted once sealed */
    size_t count, capacity, pages_max;
    struct page *last;    /* that was used last while adding */
    struct page **bucket; /* a hash of pages while adding */
    size_t bucket_count;  /* a power of two */
    struct page **direct; /* by number - first; NULL: binary search */
    uint64_t first, span;
    uint32_t objects;
};

/* Without the machine's instruction, which not all have, the compiler would call a function. */
static unsigned count_bits(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (unsigned)(v * UINT64_C(0x0101010101010101) >> 56);
}

int heap_index_new(unsigned shift, size_t pages_max, struct heap_index **ret)
{
    struct heap_index *x = calloc(1, sizeof(*x));

    assert(shift < 16 && ret);
    if (!x)
        return -ENOMEM;
    x->shift = shift;
    x->pages_max = pages_max;
    x->bucket_count = 1024;
    if (!(x->bucket = calloc(x->bucket_count, sizeof(struct page *)))) {
        free(x);
        return -ENOMEM;
    }
    *ret = x;
    return 0;
}

void heap_index_free(struct heap_index *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->count; i++)
        free(x->page[i]);
    free(x->page);
    free(x->bucket);
    free(x->direct);
    free(x);
}

static size_t slot_of(const struct heap_index *x, uint64_t number)
{
    return (size_t)((number * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (x->bucket_count - 1);
}

static struct page **find_slot(const struct heap_index *x, uint64_t number)
{
    size_t slot = slot_of(x, number);

    while (x->bucket[slot] && x->bucket[slot]->number != number)
        slot = (slot + 1) & (x->bucket_count - 1);
    return &x->bucket[slot];
}

static int grow_buckets(struct heap_index *x)
{
    struct page **bigger = calloc(x->bucket_count * 2, sizeof(struct page *));

    if (!bigger)
        return -ENOMEM;
    free(x->bucket);
    x->bucket = bigger;
    x->bucket_count *= 2;
    for (size_t i = 0; i < x->count; i++)
        *find_slot(x, x->page[i]->number) = x->page[i];
    return 0;
}

static int add_page(struct heap_index *x, struct page *p)
{
    int r;

    if (x->count * 2 >= x->bucket_count && (r = grow_buckets(x)) < 0)
        return r;
    if ((r = array_reserve(&x->page, x->count + 1, &x->capacity, sizeof(struct page *), x->pages_max)) < 0)
        return r == -E2BIG ? -EOVERFLOW : r;
    x->page[x->count++] = p;
    *find_slot(x, p->number) = p;
    x->last = p;
    return 0;
}

static int new_page(struct heap_index *x, uint64_t number)
{
    struct page *p = calloc(1, sizeof(*p));
    int r;

    if (!p)
        return -ENOMEM;
    p->number = number;
    if ((r = add_page(x, p)) < 0)
        free(p);
    return r;
}

static int find_page(struct heap_index *x, uint64_t number)
{
    struct page *found = *find_slot(x, number);

    if (!found)
        return new_page(x, number);
    x->last = found;
    return 0;
}

int heap_index_add(struct heap_index *x, uint64_t id)
{
    uint64_t place = id >> x->shift, number = place >> PLACE_BITS, bit;
    struct word *word;
    int r;

    assert(!x->sealed);
    if (place << x->shift != id)
        return -EINVAL;
    if ((!x->last || x->last->number != number) && (r = find_page(x, number)) < 0)
        return r;
    word = &x->last->word[(place & (PLACES - 1)) >> 6];
    bit = UINT64_C(1) << (place & 63);
    r = (word->bits & bit) != 0;
    word->bits |= bit;
    return r;
}

static uint64_t merge_page(struct page *into, const struct page *p)
{
    uint64_t both = 0;

    for (unsigned w = 0; w < WORDS; w++) {
        both += count_bits(into->word[w].bits & p->word[w].bits);
        into->word[w].bits |= p->word[w].bits;
    }
    return both;
}

int heap_index_merge(struct heap_index *x, struct heap_index *other)
{
    uint64_t both = 0;
    int r;

    assert(!x->sealed && !other->sealed && x->shift == other->shift);
    for (; other->count > 0; other->count--) {
        struct page *p = other->page[other->count - 1], *into = *find_slot(x, p->number);

        if (into) {
            both += merge_page(into, p);
            free(p);
        } else if ((r = add_page(x, p)) < 0) {
            return r;
        }
    }
    return both > INT32_MAX ? INT32_MAX : (int)both;
}

static int by_number(const void *a, const void *b)
{
    const struct page *const *x = a, *const *y = b;

    return (*x)->number < (*y)->number ? -1 : (*x)->number > (*y)->number;
}

static int make_direct(struct heap_index *x)
{
    if (x->count == 0)
        return 0;
    x->first = x->page[0]->number;
    x->span = x->page[x->count - 1]->number - x->first + 1;
    if (x->span > DIRECT_MAX)
        return 0;
    if (!(x->direct = calloc((size_t)x->span, sizeof(struct page *))))
        return -ENOMEM;
    for (size_t i = 0; i < x->count; i++)
        x->direct[x->page[i]->number - x->first] = x->page[i];
    return 0;
}

int heap_index_seal(struct heap_index *x)
{
    uint64_t objects = 0;

    assert(!x->sealed);
    if (x->count > 0)
        qsort(x->page, x->count, sizeof(struct page *), by_number);
    for (size_t i = 0; i < x->count; i++) {
        struct page *p = x->page[i];
        unsigned inside = 0;

        p->base = (uint32_t)objects;
        for (unsigned word = 0; word < WORDS; word++) {
            p->word[word].rank = (uint16_t)inside;
            inside += count_bits(p->word[word].bits);
        }
        objects += inside;
        if (objects >= HEAP_NONE)
            return -E2BIG;
    }
    x->objects = (uint32_t)objects;
    x->sealed = true;
    free(x->bucket);
    x->bucket = NULL;
    return make_direct(x);
}

uint32_t heap_index_count(const struct heap_index *x)
{
    return x->objects;
}

static const struct page *search(const struct heap_index *x, uint64_t number)
{
    size_t low = 0, high = x->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (x->page[middle]->number == number)
            return x->page[middle];
        if (x->page[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

uint32_t heap_index_find(const struct heap_index *x, uint64_t id)
{
    uint64_t place = id >> x->shift, number = place >> PLACE_BITS;
    const struct word *word;
    const struct page *p;

    if (!x->direct)
        p = search(x, number);
    else
        p = number - x->first < x->span ? x->direct[number - x->first] : NULL;
    if (!p || place << x->shift != id)
        return HEAP_NONE;
    word = &p->word[(place & (PLACES - 1)) >> 6];
    if (!(word->bits >> (place & 63) & 1))
        return HEAP_NONE;
    return p->base + word->rank + count_bits(word->bits & ((UINT64_C(1) << (place & 63)) - 1));
}

void heap_index_prefetch(const struct heap_index *x, uint64_t id)
{
    uint64_t place = id >> x->shift, number = (place >> PLACE_BITS) - x->first;
    const struct page *p = x->direct && number < x->span ? x->direct[number] : NULL;

    if (p) {
        __builtin_prefetch(&p->base);
        __builtin_prefetch(&p->word[(place & (PLACES - 1)) >> 6]);
    }
}

static uint64_t id_at(const struct heap_index *x, const struct page *p, unsigned at)
{
    return (p->number << PLACE_BITS | at) << x->shift;
}

void heap_index_each(const struct heap_index *x, void (*fn)(void *ctx, uint32_t number, uint64_t id), void *ctx)
{
    uint32_t number = 0;

    assert(x->sealed);
    for (size_t i = 0; i < x->count; i++)
        for (unsigned word = 0; word < WORDS; word++)
            for (uint64_t bits = x->page[i]->word[word].bits; bits; bits &= bits - 1)
                fn(ctx, number++, id_at(x, x->page[i], word * 64 + (unsigned)__builtin_ctzll(bits)));
}

uint64_t heap_index_id(const struct heap_index *x, uint32_t number)
{
    size_t low = 0, high = x->count;
    const struct page *p;
    unsigned word = 0;
    uint32_t skip;
    uint64_t bits;

    assert(x->sealed && number < x->objects);
    while (high - low > 1) { /* the last page that begins at or before it */
        size_t middle = low + (high - low) / 2;

        if (x->page[middle]->base <= number)
            low = middle;
        else
            high = middle;
    }
    p = x->page[low];
    skip = number - p->base;
    while (word + 1 < WORDS && p->word[word + 1].rank <= skip)
        word++;
    skip -= p->word[word].rank;
    for (bits = p->word[word].bits; skip > 0; skip--)
        bits &= bits - 1;
    return id_at(x, p, word * 64 + (unsigned)__builtin_ctzll(bits));
}
