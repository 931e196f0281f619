/* SPDX-License-Identifier: Apache-2.0
 *
 * From the JSON of both cases alone: their dumps are not read. One page at a time, because it takes two of the places
 * that heap_answers_load has: pages that had one each would wait for one another.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/page_compare.h"
#include "ship/case_facts.h"

enum { TURN_WAIT_S = 10 };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static bool take_turn(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += TURN_WAIT_S;
    return pthread_mutex_timedlock(&turn, &until) == 0;
}

/* Which case it is, and when: a digest says neither. */
static int name_heap(json_t *answer, const struct evidence *v)
{
    const struct manifest *m = evidence_find(v, "heap-dump");
    char when[CLOCK_TEXT_MAX];

    if (json_object_set_new(answer, "name", json_string(m->where.pod ? m->where.pod : v->id)) < 0)
        return -ENOMEM;
    if (json_is_string(json_object_get(answer, "time")))
        return 0;
    return json_object_set_new(answer, "time", json_string(clock_format(case_time_ns(m, INT64_MAX), when)));
}

/* What both have says most; an analysis beside a digest is compared as if it were one. */
static void choose(struct heap_answers *const a[2], json_t *ret[2])
{
    bool digests = a[0]->digest && a[1]->digest && !(a[0]->analysis && a[1]->analysis);

    for (unsigned i = 0; i < 2; i++)
        ret[i] = digests || !a[i]->analysis ? a[i]->digest : a[i]->analysis;
}

static int compare(struct evidence *const v[2], struct compared_heaps *c)
{
    json_t *heap[2];
    int r;

    choose((struct heap_answers *const[]){&c->answers[0], &c->answers[1]}, heap);
    for (unsigned i = 0; i < 2; i++) {
        if (!heap[i] || !comparison_can(heap[i]))
            return *c->trouble.msg
                       ? -FAULT_NO_OBJECT
                       : err_set(&c->trouble, -FAULT_NO_OBJECT,
                                 "nothing is known yet of the heap of %s: its page can have it analysed", v[i]->id);
        if (name_heap(heap[i], v[i]) < 0)
            return err_set(&c->trouble, -ENOMEM, "out of memory");
    }
    r = comparison_make(heap[0], heap[1], &c->comparison, &c->trouble);
    c->known = r == 0;
    return r;
}

void compared_heaps_load(struct request *r, struct evidence *const v[2], struct compared_heaps *ret)
{
    *ret = (struct compared_heaps){0};
    if (!heap_answers_possible(v[0]) || !heap_answers_possible(v[1]))
        return;
    if (!(ret->locked = take_turn())) {
        err_set(&ret->trouble, -FAULT_BUSY, "others are compared just now: load the page again");
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        heap_answers_load(r->serve, v[i], &ret->answers[i]);
        if (*ret->answers[i].trouble.msg && !ret->answers[i].analysis && !ret->answers[i].digest)
            ret->trouble = ret->answers[i].trouble;
    }
    compare(v, ret);
}

void compared_heaps_done(struct compared_heaps *c)
{
    comparison_done(&c->comparison);
    heap_answers_done(&c->answers[0]);
    heap_answers_done(&c->answers[1]);
    if (c->locked)
        pthread_mutex_unlock(&turn);
    *c = (struct compared_heaps){0};
}
