/* SPDX-License-Identifier: Apache-2.0
 *
 * Candidates in a search tree by name, and in a heap by due time.
 */
#include "watch/candidate.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"

static int compare(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->folder != y->folder)
        return x->folder < y->folder ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void candidate_free(void *p)
{
    struct candidate *c = p;

    if (!c)
        return;
    free(c->name);
    free(c);
}

struct candidate *candidate_find(const struct candidates *c, struct folder *f, const char *name)
{
    const struct candidate key = {.folder = f, .name = (char *)name};
    struct candidate **found = tfind(&key, &c->tree, compare);

    return found ? *found : NULL;
}

static void heap_put(struct candidates *c, size_t at, struct candidate *one)
{
    c->heap[at] = one;
    one->heap_at = at;
}

/* Restores the heap order for the candidate at index `at`. */
static void heap_settle(struct candidates *c, size_t at)
{
    struct candidate *one = c->heap[at];

    for (; at > 1 && c->heap[at / 2]->due_ms > one->due_ms; at /= 2)
        heap_put(c, at, c->heap[at / 2]);
    for (size_t child; (child = at * 2) <= c->scheduled; at = child) {
        child += child < c->scheduled && c->heap[child + 1]->due_ms < c->heap[child]->due_ms;
        if (c->heap[child]->due_ms >= one->due_ms)
            break;
        heap_put(c, at, c->heap[child]);
    }
    heap_put(c, at, one);
}

static void heap_remove(struct candidates *c, struct candidate *one)
{
    size_t at = one->heap_at;
    struct candidate *last = c->heap[c->scheduled--];

    one->heap_at = 0;
    if (last == one)
        return;
    heap_put(c, at, last);
    heap_settle(c, at);
}

void candidate_schedule(struct candidates *c, struct candidate *one, uint64_t due_ms)
{
    if (one->heap_at > 0)
        heap_remove(c, one);
    one->due_ms = due_ms;
    if (due_ms == 0)
        return;
    heap_put(c, ++c->scheduled, one);
    heap_settle(c, c->scheduled);
}

struct candidate *candidate_add(struct candidates *c, struct folder *f, const char *name)
{
    struct candidate *one = candidate_find(c, f, name);

    if (one)
        return one;
    /* Allocated here, so that scheduling can't fail. Index 0 is not used. */
    if (array_reserve(&c->heap, c->count + 2, &c->capacity, sizeof(struct candidate *), SIZE_MAX) < 0)
        return NULL;
    one = calloc(1, sizeof(*one));
    if (!one || !(one->name = strdup(name))) {
        candidate_free(one);
        return NULL;
    }
    one->folder = f;
    one->found_ns = clock_wall_ns();
    if (!tsearch(one, &c->tree, compare)) {
        candidate_free(one);
        return NULL;
    }
    c->count++;
    return one;
}

void candidate_drop(struct candidates *c, struct candidate *one)
{
    assert(c->count > 0);
    candidate_schedule(c, one, 0);
    tdelete(one, &c->tree, compare);
    candidate_free(one);
    c->count--;
}

void candidates_done(struct candidates *c)
{
    tdestroy(c->tree, candidate_free);
    free(c->heap);
    *c = (struct candidates){0};
}

struct candidate *candidate_due(const struct candidates *c, uint64_t now_ms, uint64_t *ret_next_ms)
{
    struct candidate *first = c->scheduled > 0 ? c->heap[1] : NULL;

    *ret_next_ms = first ? first->due_ms : UINT64_MAX;
    return first && first->due_ms <= now_ms ? first : NULL;
}

/* State of a walk through the tree; twalk_r(3) always visits all nodes. */
struct walk {
    const struct folder *folder;
    struct candidate **found;
    size_t count;
    bool settling;
    void (*fn)(void *ctx, const struct candidate *one);
    void *ctx;
};

static struct candidate *visited(const void *node, VISIT which)
{
    return which == postorder || which == leaf ? *(struct candidate *const *)node : NULL;
}

static void visit_folder(const void *node, VISIT which, void *ctx)
{
    struct candidate *one = visited(node, which);
    struct walk *w = ctx;

    if (one && one->folder == w->folder)
        w->found[w->count++] = one;
}

size_t candidates_of(const struct candidates *c, const struct folder *f, struct candidate ***ret)
{
    struct walk w = {.folder = f, .found = c->count ? calloc(c->count, sizeof(struct candidate *)) : NULL};

    if (w.found)
        twalk_r(c->tree, visit_folder, &w);
    *ret = w.found;
    return w.count;
}

static void visit_settling(const void *node, VISIT which, void *ctx)
{
    struct candidate *one = visited(node, which);
    struct walk *w = ctx;

    if (!one || !(one->may_follow || one->following || one->settle.since_ms || one->errors || one->fresh ||
                  one->content_checked))
        return;
    w->settling = true;
    if (w->fn)
        w->fn(w->ctx, one);
}

bool candidates_settling(const struct candidates *c)
{
    struct walk w = {0};

    twalk_r(c->tree, visit_settling, &w);
    return w.settling;
}

void candidates_each_settling(const struct candidates *c, void (*fn)(void *ctx, const struct candidate *one), void *ctx)
{
    struct walk w = {.fn = fn, .ctx = ctx};

    twalk_r(c->tree, visit_settling, &w);
}
