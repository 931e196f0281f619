/* SPDX-License-Identifier: Apache-2.0
 *
 * One order for all limits but the age: what stands in the middle of a crash loop first, the oldest first.
 */
#include "ship/retain_plan.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    SUSPECTS_OF_LOOP = 16,
    ROUNDS = 20 /* more would be needed only by loops with many suspects of which little goes at a time */
};

static const int64_t REST_NS = INT64_C(86400) * 1000000000;

struct plan {
    struct case_list *list;
    const struct retain_policy *policy;
    const struct retain_now *now;
    struct listed_case **order; /* to be given up, the first first */
};

static int by_series(const void *a, const void *b)
{
    const struct listed_case *x = *(struct listed_case *const *)a, *y = *(struct listed_case *const *)b;

    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static int middles_then_oldest(const void *a, const void *b)
{
    const struct listed_case *x = *(struct listed_case *const *)a, *y = *(struct listed_case *const *)b;

    if (x->middle != y->middle)
        return x->middle ? -1 : 1;
    return x->time_ns != y->time_ns ? (x->time_ns < y->time_ns ? -1 : 1) : strcmp(x->id, y->id);
}

static int by_workload(const void *a, const void *b)
{
    const struct listed_case *x = *(struct listed_case *const *)a, *y = *(struct listed_case *const *)b;

    if (x->workload != y->workload)
        return x->workload < y->workload ? -1 : 1;
    return middles_then_oldest(a, b);
}

static void sort(struct plan *p, int (*compare)(const void *, const void *))
{
    if (p->list->count > 0)
        qsort(p->order, p->list->count, sizeof(struct listed_case *), compare);
}

static bool are_one_loop(const struct listed_case *a, const struct listed_case *b)
{
    return a->series != 0 && a->series == b->series && b->time_ns - a->time_ns <= RETAIN_LOOP_GAP_NS;
}

/* Behind the last case of the loop that begins at `begin`. p->order: by_series. */
static size_t end_of_loop(const struct plan *p, size_t begin)
{
    size_t end = begin + 1;

    while (end < p->list->count && are_one_loop(p->order[end - 1], p->order[end]))
        end++;
    return end;
}

/* Suspects that a loop keeps a case of: those of its ends, which stay anyway, and of others until the room is used up.
 */
struct kept_suspects {
    uint64_t suspect[SUSPECTS_OF_LOOP + 2];
    unsigned count;
};

/* Whether it is one more. */
static bool keep_suspect(struct kept_suspects *k, uint64_t suspect, unsigned most)
{
    for (unsigned i = 0; i < k->count; i++)
        if (k->suspect[i] == suspect)
            return false;
    if (suspect == 0 || k->count == most)
        return false;
    k->suspect[k->count++] = suspect;
    return true;
}

static void find_middles_of(struct listed_case **loop, size_t count)
{
    struct kept_suspects kept = {0};

    keep_suspect(&kept, loop[0]->suspect, SUSPECTS_OF_LOOP + 2);
    keep_suspect(&kept, loop[count - 1]->suspect, SUSPECTS_OF_LOOP + 2);
    loop[0]->middle = loop[count - 1]->middle = false;
    for (size_t i = 1; i + 1 < count; i++)
        loop[i]->middle = !keep_suspect(&kept, loop[i]->suspect, SUSPECTS_OF_LOOP);
}

static void find_middles(struct plan *p)
{
    sort(p, by_series);
    for (size_t i = 0, end; i < p->list->count; i = end) {
        end = end_of_loop(p, i);
        find_middles_of(p->order + i, end - i);
    }
}

static void find_suspect(const struct plan *p, struct listed_case *c)
{
    char text[SUSPECT_MAX] = "";

    if (c->asked)
        return;
    c->asked = true;
    p->now->suspect(p->now->ctx, c, text);
    c->suspect = retain_suspect(text);
}

/* Of the cases in the middle of loops that are to go, and of their loops' ends. Whether that was news. */
static bool find_suspects(struct plan *p)
{
    bool news = false;

    sort(p, by_series);
    for (size_t i = 0, end; i < p->list->count; i = end) {
        end = end_of_loop(p, i);
        for (size_t at = i + 1; at + 1 < end; at++) {
            struct listed_case *c = p->order[at];

            if (c->asked || !c->middle || c->reason == CASE_STAYS || c->reason == CASE_TOO_OLD)
                continue;
            find_suspect(p, p->order[i]);
            find_suspect(p, p->order[end - 1]);
            find_suspect(p, c);
            news = news || c->suspect != 0;
        }
    }
    return news;
}

static size_t namespace_size(const struct listed_case *c)
{
    const char *slash = strchr(c->id, '/');

    return slash ? (size_t)(slash - c->id) : 0;
}

static bool may_go(const struct plan *p, const struct listed_case *c)
{
    return c->reason == CASE_STAYS && !c->pinned && (c->manifests > 0 || p->now->wall_ns - c->newest_ns > REST_NS);
}

static void give_up(struct listed_case *c, enum case_reason reason, const struct retain_rule *rule)
{
    c->reason = reason;
    c->rule = rule;
}

/* The rule that has this limit for the case: its namespace's, else the general one; NULL: no limit. */
static const struct retain_rule *rule_with(const struct plan *p, const struct listed_case *c, size_t limit)
{
    const struct retain_rule *rules[] = {retain_rule_of(p->policy, c->id, namespace_size(c)),
                                         retain_rule_general(p->policy)};

    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (rules[i] && *(const uint64_t *)((const char *)&rules[i]->limits + limit) > 0)
            return rules[i];
    return NULL;
}

static void by_age(struct plan *p)
{
    for (size_t i = 0; i < p->list->count; i++) {
        struct listed_case *c = &p->list->item[i];
        const struct retain_rule *rule = rule_with(p, c, offsetof(struct retain_limits, age_ms));

        if (rule && may_go(p, c) && c->time_ns > 0 && p->now->wall_ns > c->time_ns &&
            (uint64_t)(p->now->wall_ns - c->time_ns) / 1000000 > rule->limits.age_ms)
            give_up(c, CASE_TOO_OLD, rule);
    }
}

/* One workload's cases: order[0 … count - 1]. */
static void limit_workload(const struct plan *p, struct listed_case **order, size_t count)
{
    const struct retain_rule *rule = rule_with(p, order[0], offsetof(struct retain_limits, count));
    uint64_t left = 0;

    for (size_t i = 0; i < count; i++)
        left += order[i]->reason == CASE_STAYS;
    for (size_t i = 0; rule && i < count && left > rule->limits.count; i++)
        if (may_go(p, order[i])) {
            give_up(order[i], CASE_TOO_MANY, rule);
            left--;
        }
}

static void by_count(struct plan *p)
{
    size_t count = p->list->count;

    sort(p, by_workload);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && p->order[end]->workload == p->order[i]->workload;)
            end++;
        limit_workload(p, p->order + i, end - i);
    }
}

/* Of the cases of one namespace (NULL: all) as many as make the rest small enough. */
static void by_bytes(struct plan *p, const struct retain_rule *rule, const char *namespace, enum case_reason reason)
{
    uint64_t left = 0, most = rule->limits.bytes;

    for (int give = 0; give <= 1; give++)
        for (size_t i = 0; i < p->list->count; i++) {
            struct listed_case *c = p->order[i];

            if (c->reason != CASE_STAYS || (namespace && (strlen(namespace) != namespace_size(c) ||
                                                          strncmp(c->id, namespace, namespace_size(c)) != 0)))
                continue;
            if (!give) {
                left += c->bytes;
            } else if (left > most && may_go(p, c)) {
                give_up(c, reason, rule);
                left -= c->bytes;
            }
        }
}

static void by_free(struct plan *p, const struct retain_rule *rule)
{
    uint64_t left = p->now->free;

    for (size_t i = 0; i < p->list->count; i++)
        if (p->order[i]->reason != CASE_STAYS)
            left += p->order[i]->bytes;
    for (size_t i = 0; i < p->list->count && left < rule->limits.free; i++)
        if (may_go(p, p->order[i])) {
            give_up(p->order[i], CASE_DISK_FULL, rule);
            left += p->order[i]->bytes;
        }
}

static void apply_limits(struct plan *p)
{
    const struct retain_policy *policy = p->policy;
    const struct retain_rule *general = retain_rule_general(policy);

    for (size_t i = 0; i < p->list->count; i++)
        give_up(&p->list->item[i], CASE_STAYS, NULL);
    find_middles(p);
    by_age(p);
    by_count(p);
    sort(p, middles_then_oldest);
    for (unsigned i = 0; i < policy->count; i++)
        if (policy->rule[i].namespace && policy->rule[i].limits.bytes > 0)
            by_bytes(p, &policy->rule[i], policy->rule[i].namespace, CASE_NAMESPACE_FULL);
    if (general && general->limits.bytes > 0)
        by_bytes(p, general, NULL, CASE_STORE_FULL);
    if (general && general->limits.free > 0 && p->now->free != UINT64_MAX)
        by_free(p, general);
}

int retain_plan(struct case_list *l, const struct retain_policy *policy, const struct retain_now *now)
{
    CLEANUP_FREE struct listed_case **order = calloc(l->count + 1, sizeof(struct listed_case *));
    struct plan p = {l, policy, now, order};

    assert(policy->count > 0);
    if (!order)
        return -ENOMEM;
    for (size_t i = 0; i < l->count; i++)
        order[i] = &l->item[i];
    apply_limits(&p);
    /* Each case that a suspect keeps lets another one go, whose suspect is not known yet. */
    for (unsigned round = 0; now->suspect && round < ROUNDS && find_suspects(&p); round++)
        apply_limits(&p);
    return 0;
}

uint64_t retain_suspect(const char *text)
{
    char plain[SUSPECT_MAX];
    size_t size = 0;

    for (; *text && size < sizeof(plain); text++) {
        bool digit = *text >= '0' && *text <= '9';

        if (!digit || size == 0 || plain[size - 1] != '#')
            plain[size++] = digit ? '#' : *text;
    }
    return size > 0 ? XXH3_64bits(plain, size) | 1 : 0;
}

/* "30d", "12h", "90s". */
static void print_age(uint64_t ms, char out[static 32])
{
    static const struct {
        uint64_t ms;
        const char *name;
    } UNITS[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;

    while (ms % UNITS[i].ms != 0)
        i++;
    snprintf(out, 32, "%" PRIu64 "%s", ms / UNITS[i].ms, UNITS[i].name);
}

const char *retain_reason(const struct listed_case *c, char *out)
{
    const struct retain_rule *rule = c->rule;
    char number[32];

    *out = '\0';
    switch (c->reason) {
    case CASE_STAYS:
        break;
    case CASE_TOO_OLD:
        print_age(rule->limits.age_ms, number);
        snprintf(out, RETAIN_REASON_MAX, "older than %s", number);
        break;
    case CASE_TOO_MANY:
        snprintf(out, RETAIN_REASON_MAX, "more than %" PRIu64 " of its workload", rule->limits.count);
        break;
    case CASE_NAMESPACE_FULL:
        snprintf(out, RETAIN_REASON_MAX, "more than %s in its namespace", text_format_size(rule->limits.bytes, number));
        break;
    case CASE_STORE_FULL:
        snprintf(out, RETAIN_REASON_MAX, "more than %s in all", text_format_size(rule->limits.bytes, number));
        break;
    case CASE_DISK_FULL:
        snprintf(out, RETAIN_REASON_MAX, "less than %s free on the disk", text_format_size(rule->limits.free, number));
        break;
    }
    return out;
}
