/* SPDX-License-Identifier: Apache-2.0
 *
 * A search tree of candidates. There are few at a time, except on file systems without leases.
 */
#include "agent/candidate.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

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

struct candidate *candidate_add(struct candidates *c, struct folder *f, const char *name)
{
    struct candidate *one = candidate_find(c, f, name);

    if (one)
        return one;
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
    return one;
}

void candidate_drop(struct candidates *c, struct candidate *one)
{
    tdelete(one, &c->tree, compare);
    candidate_free(one);
}

void candidates_done(struct candidates *c)
{
    tdestroy(c->tree, candidate_free);
    c->tree = NULL;
}

/* What a walk looks for; the walk itself can't be broken off. */
struct walk {
    uint64_t now_ms, next_ms;
    const struct folder *folder;
    struct candidate *found;
    bool settling;
};

static struct candidate *visited(const void *node, VISIT which)
{
    return which == postorder || which == leaf ? *(struct candidate *const *)node : NULL;
}

static void visit_due(const void *node, VISIT which, void *ctx)
{
    struct candidate *one = visited(node, which);
    struct walk *w = ctx;

    if (!one || one->due_ms == 0)
        return;
    if (one->due_ms <= w->now_ms)
        w->found = one;
    else if (one->due_ms < w->next_ms)
        w->next_ms = one->due_ms;
}

struct candidate *candidate_due(const struct candidates *c, uint64_t now_ms, uint64_t *ret_next_ms)
{
    struct walk w = {.now_ms = now_ms, .next_ms = UINT64_MAX};

    twalk_r(c->tree, visit_due, &w);
    *ret_next_ms = w.next_ms;
    return w.found;
}

static void visit_folder(const void *node, VISIT which, void *ctx)
{
    struct candidate *one = visited(node, which);
    struct walk *w = ctx;

    if (one && one->folder == w->folder)
        w->found = one;
}

struct candidate *candidate_in(const struct candidates *c, const struct folder *f)
{
    struct walk w = {.folder = f};

    twalk_r(c->tree, visit_folder, &w);
    return w.found;
}

static void visit_settling(const void *node, VISIT which, void *ctx)
{
    struct candidate *one = visited(node, which);
    struct walk *w = ctx;

    w->settling |= one && (one->may_follow || one->following || one->settle.since_ms || one->troubles);
}

bool candidates_settling(const struct candidates *c)
{
    struct walk w = {0};

    twalk_r(c->tree, visit_settling, &w);
    return w.settling;
}
