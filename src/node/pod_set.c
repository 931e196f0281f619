/* SPDX-License-Identifier: Apache-2.0
 *
 * A pod is there while the API has it; while the API can't be asked, or does not know the pod yet, while its folder of
 * logs is there.
 */
#include "node/pod_set.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/pod_rules.h"
#include "place/pod_table.h"

static const int64_t NS_PER_MS = 1000000;
enum { LEFTOVER_MS = 60 * 1000 }; /* a folder of logs of this age whose pod the API does not know is a left-over */

void pod_set_done(struct pod_set *s)
{
    for (size_t i = 0; i < s->count; i++)
        pod_row_done(&s->item[i].row);
    free(s->item);
    *s = (struct pod_set){0};
}

struct pod_set_entry *pod_set_find(const struct pod_set *s, const char *uid)
{
    for (size_t i = 0; i < s->count; i++)
        if (text_eq(s->item[i].row.uid, uid))
            return &s->item[i];
    return NULL;
}

static void remove_at(struct pod_set *s, size_t i)
{
    pod_row_done(&s->item[i].row);
    s->item[i] = s->item[--s->count];
}

/* Makes room by dropping the one that has been gone for longest. */
static void drop_oldest(struct pod_set *s)
{
    size_t oldest = SIZE_MAX;

    for (size_t i = 0; i < s->count; i++)
        if (s->item[i].row.gone_ns && (oldest == SIZE_MAX || s->item[i].row.gone_ns < s->item[oldest].row.gone_ns))
            oldest = i;
    if (oldest != SIZE_MAX)
        remove_at(s, oldest);
}

/* NULL without memory or room. */
static struct pod_set_entry *add(struct pod_set *s)
{
    if (s->count == POD_TABLE_ROWS_MAX)
        drop_oldest(s);
    s->refused += s->count == POD_TABLE_ROWS_MAX;
    if (array_reserve(&s->item, s->count + 1, &s->capacity, sizeof(*s->item), POD_TABLE_ROWS_MAX) < 0)
        return NULL;
    s->item[s->count] = (struct pod_set_entry){.first_ms = clock_mono_ms()};
    return &s->item[s->count++];
}

int pod_set_load(struct pod_set *s, const char *path)
{
    CLEANUP(pod_table_free_ptr) struct pod_table *t = NULL;
    int r = pod_table_open(path, &t);

    if (r < 0 || (r = pod_table_refresh(t)) <= 0)
        return r;
    for (size_t i = 0; i < pod_table_count(t); i++) {
        struct pod_set_entry *p = add(s);

        if (!p)
            return -ENOMEM;
        if ((r = pod_table_at(t, i, &p->row)) < 0) {
            s->count--;
            return r;
        }
        p->in_api = p->row.known && !p->row.gone_ns;
    }
    return 0;
}

static void update_gone(struct pod_set_entry *p)
{
    if (p->in_api || p->in_logs)
        p->row.gone_ns = 0;
    else if (!p->row.gone_ns)
        p->row.gone_ns = clock_wall_ns();
}

/* --- the API --------------------------------------------------------------------------------------------------------
 */

/* What the API says late is known from the logs: a container's restarts only grow. */
static void keep_restarts(const struct pod_row *old, struct pod_row *new)
{
    for (size_t i = 0; i < new->containers; i++) {
        const struct pod_container *c = pod_row_container(old, new->container[i].name);

        if (c && c->restarts > new->container[i].restarts)
            new->container[i].restarts = c->restarts;
    }
}

int pod_set_from_api(struct pod_set *s, struct pod_row *row, bool gone)
{
    struct pod_set_entry *p = pod_set_find(s, row->uid);

    if (!p && !(p = add(s))) {
        pod_row_done(row);
        return s->count < POD_TABLE_ROWS_MAX ? -ENOMEM : 0;
    }
    keep_restarts(&p->row, row);
    row->gone_ns = p->row.gone_ns;
    pod_row_done(&p->row);
    p->row = *row;
    *row = (struct pod_row){0};
    p->in_api = p->listed = !gone;
    p->in_logs = p->in_logs && !gone; /* the folder goes later */
    update_gone(p);
    return 0;
}

void pod_set_list_begins(struct pod_set *s)
{
    for (size_t i = 0; i < s->count; i++)
        s->item[i].listed = false;
}

void pod_set_list_ends(struct pod_set *s)
{
    int64_t now_ns = clock_wall_ns();

    for (size_t i = 0; i < s->count; i++) {
        struct pod_set_entry *p = &s->item[i];

        if (p->listed)
            continue;
        if (p->in_api || now_ns - p->row.created_ns > LEFTOVER_MS * NS_PER_MS)
            p->in_logs = false;
        p->in_api = false;
        update_gone(p);
    }
}

/* --- folders of logs ------------------------------------------------------------------------------------------------
 */

int pod_set_from_logs(struct pod_set *s, const char *uid, const struct pod_logs_names *names, int64_t created_ns)
{
    struct pod_set_entry *p = pod_set_find(s, uid);

    if (!p) {
        if (!(p = add(s)))
            return s->count < POD_TABLE_ROWS_MAX ? -ENOMEM : 0;
        snprintf(p->row.uid, sizeof(p->row.uid), "%s", uid);
        p->row.created_ns = created_ns;
    }
    if (!p->row.known) {
        snprintf(p->row.namespace, sizeof(p->row.namespace), "%s", names->namespace);
        snprintf(p->row.name, sizeof(p->row.name), "%s", names->pod);
    }
    p->scanned = true;
    /* The folder of a pod that the API no longer has is left for a while. */
    p->in_logs = !p->row.gone_ns || !p->row.known;
    update_gone(p);
    return 0;
}

int pod_set_container(struct pod_set *s, const char *uid, const char *name, uint64_t restarts)
{
    struct pod_set_entry *p = pod_set_find(s, uid);
    struct pod_container *c = p ? pod_row_add_container(&p->row, name) : NULL;

    if (!c)
        return p && p->row.containers < POD_CONTAINERS_MAX ? -ENOMEM : 0;
    if (restarts > c->restarts) {
        c->restarts = restarts;
        pod_row_set(&c->id, NULL); /* that of the one before */
    }
    return 0;
}

void pod_set_logs_removed(struct pod_set *s, const char *uid)
{
    struct pod_set_entry *p = pod_set_find(s, uid);

    if (!p)
        return;
    p->in_logs = false;
    p->in_api = p->in_api && s->api_works;
    update_gone(p);
}

void pod_set_scan_begins(struct pod_set *s)
{
    for (size_t i = 0; i < s->count; i++)
        s->item[i].scanned = false;
}

void pod_set_scan_ends(struct pod_set *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct pod_set_entry *p = &s->item[i];

        if (p->scanned)
            continue;
        p->in_logs = false;
        p->in_api = p->in_api && s->api_works;
        update_gone(p);
    }
}

/* --- rules ----------------------------------------------------------------------------------------------------------
 */

/* Returns until when its rule is waited for; UINT64_MAX: it is not. */
static uint64_t apply_rule(struct pod_set *s, struct pod_set_entry *p, const struct config *c)
{
    uint64_t until = p->first_ms + POD_LABELS_WAIT_MS;
    bool wait = s->labels_expected && clock_mono_ms() < until;
    int rule = pod_rules_find(c, &p->row, wait);

    p->row.pending = rule == POD_RULE_PENDING;
    snprintf(p->row.rule, sizeof(p->row.rule), "%s", rule >= 0 ? c->rule[rule].name : "");
    if (!p->row.known && !wait && pod_rules_find(c, &p->row, true) == POD_RULE_PENDING)
        s->by_namespace++;
    return p->row.pending ? until : UINT64_MAX;
}

uint64_t pod_set_apply(struct pod_set *s, const struct config *c)
{
    int64_t now_ns = clock_wall_ns();
    uint64_t due = UINT64_MAX, now = clock_mono_ms();

    assert(c);
    s->by_namespace = 0;
    for (size_t i = s->count; i-- > 0;) {
        struct pod_set_entry *p = &s->item[i];
        int64_t gone_ms = (now_ns - p->row.gone_ns) / NS_PER_MS;
        uint64_t next;

        if (p->row.gone_ns && gone_ms >= POD_GONE_MS) {
            remove_at(s, i);
            continue;
        }
        next = apply_rule(s, p, c);
        if (p->row.gone_ns && now + (uint64_t)(POD_GONE_MS - gone_ms) < next)
            next = now + (uint64_t)(POD_GONE_MS - gone_ms);
        if (next < due)
            due = next;
    }
    return due;
}

int pod_set_write(const struct pod_set *s, struct buf *ret)
{
    int r = buf_add_text(ret, POD_TABLE_HEAD);

    ret->ceiling = POD_TABLE_SIZE_MAX;
    for (size_t i = 0; i < s->count && r == 0; i++) {
        r = pod_row_encode(&s->item[i].row, ret);
        if (r == -EMSGSIZE && ret->size < POD_TABLE_SIZE_MAX / 2)
            r = 0; /* this row alone is too large */
    }
    return r;
}
