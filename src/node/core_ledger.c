/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Names and cgroups are a container's texts.
 */
#include "node/core_ledger.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"

#define SCHEMA "salvage.core-ledger/1"

static const char *const NAMES[CORE_END_END] = {"stored", "spooled", "lost", "limited", "busy", "refused", "taking"};

const char *core_end_name(enum core_end end)
{
    return NAMES[end];
}

/* The bucket of the cgroup; a new one takes the place of the one that was used longest ago. */
static struct core_bucket *bucket_of(struct core_ledger *l, const char *cgroup, const struct rate *rate, int64_t now_ms)
{
    struct core_bucket *b = NULL;
    char name[LEDGER_TEXT];

    snprintf(name, sizeof(name), "%s", cgroup);
    for (unsigned i = 0; i < l->buckets; i++) {
        if (text_eq(l->bucket[i].cgroup, name))
            return &l->bucket[i];
        if (!b || l->bucket[i].at_ms < b->at_ms)
            b = &l->bucket[i];
    }
    if (l->buckets < LEDGER_BUCKETS)
        b = &l->bucket[l->buckets++];
    *b = (struct core_bucket){.tokens = rate->count, .at_ms = now_ms};
    memcpy(b->cgroup, name, sizeof(name));
    return b;
}

bool core_ledger_admit(struct core_ledger *l, const char *cgroup, const struct rate *rate, int64_t now_ms,
                       uint64_t *ret_limited)
{
    struct core_bucket *b;

    *ret_limited = 0;
    if (rate->count == 0 || rate->per_ms == 0)
        return true;
    b = bucket_of(l, cgroup, rate, now_ms);
    if (now_ms > b->at_ms)
        b->tokens += (double)(now_ms - b->at_ms) * rate->count / (double)rate->per_ms;
    if (!(b->tokens >= 0 && b->tokens <= rate->count))
        b->tokens = rate->count;
    b->at_ms = now_ms;
    if (b->tokens < 1) {
        *ret_limited = ++b->limited;
        return false;
    }
    b->tokens -= 1;
    *ret_limited = b->limited;
    b->limited = 0;
    return true;
}

static struct core_entry *taking_of(struct core_ledger *l, const struct core_entry *entry)
{
    for (unsigned i = 0; i < l->lasts; i++)
        if (l->last[i].end == CORE_TAKING && l->last[i].pid == entry->pid && l->last[i].time_ms == entry->time_ms)
            return &l->last[i];
    return NULL;
}

void core_ledger_record(struct core_ledger *l, const struct core_entry *entry)
{
    struct core_entry *begun = taking_of(l, entry);

    l->count[entry->end]++;
    if (begun) {
        if (l->count[CORE_TAKING] > 0)
            l->count[CORE_TAKING]--;
        *begun = *entry;
        return;
    }
    if (entry->end == CORE_LIMITED || entry->end == CORE_BUSY || entry->end == CORE_REFUSED)
        return;
    if (l->lasts < LEDGER_LAST)
        l->lasts++;
    memmove(&l->last[1], &l->last[0], (l->lasts - 1) * sizeof(l->last[0]));
    l->last[0] = *entry;
}

/* --- as JSON --- */

static json_t *entry_json(const struct core_entry *x)
{
    return json_pack("{sI sI si ss sb so so so so}", "time_ms", (json_int_t)x->time_ms, "pid", (json_int_t)x->pid,
                     "signal", x->signal, "end", NAMES[x->end], "sensitive", x->sensitive, "command",
                     jsonout_text(x->command, sizeof(x->command)), "place", jsonout_text(x->place, LEDGER_TEXT),
                     "cgroup", jsonout_text(x->cgroup, LEDGER_TEXT), "what", jsonout_text(x->what, LEDGER_TEXT));
}

int core_ledger_encode(const struct core_ledger *l, struct buf *ret)
{
    json_auto_t *root = json_object(), *counts = json_object(), *buckets = json_array(), *last = json_array();
    CLEANUP_FREE char *text = NULL;

    if (!root || !counts || !buckets || !last)
        return -ENOMEM;
    json_object_set_new(root, "schema", json_string(SCHEMA));
    json_object_set(root, "counts", counts);
    json_object_set(root, "last", last);
    json_object_set(root, "buckets", buckets);
    for (int i = 0; i < CORE_END_END; i++)
        json_object_set_new(counts, NAMES[i], json_integer((json_int_t)l->count[i]));
    for (unsigned i = 0; i < l->lasts; i++)
        json_array_append_new(last, entry_json(&l->last[i]));
    for (unsigned i = 0; i < l->buckets; i++) {
        const struct core_bucket *b = &l->bucket[i];

        json_array_append_new(buckets,
                              json_pack("{so sf sI sI}", "cgroup", jsonout_text(b->cgroup, LEDGER_TEXT), "tokens",
                                        b->tokens, "at_ms", (json_int_t)b->at_ms, "limited", (json_int_t)b->limited));
    }
    text = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);
    return text ? buf_printf(ret, "%s\n", text) : -ENOMEM;
}

static uint64_t count_of(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));

    return value > 0 ? (uint64_t)value : 0;
}

static int64_t time_of(const json_t *object, const char *name)
{
    return (int64_t)(count_of(object, name) & (INT64_MAX >> 8));
}

#define COPY(to, object, name) snprintf((to), sizeof(to), "%s", json_read_text((object), (name)))

static void read_bucket(const json_t *j, struct core_ledger *l)
{
    struct core_bucket b = {.tokens = json_number_value(json_object_get(j, "tokens")),
                            .at_ms = time_of(j, "at_ms"),
                            .limited = count_of(j, "limited")};

    COPY(b.cgroup, j, "cgroup");
    if (l->buckets < LEDGER_BUCKETS && isfinite(b.tokens) && b.tokens >= 0 && b.tokens <= RATE_COUNT_MAX)
        l->bucket[l->buckets++] = b;
}

static void read_entry(const json_t *j, struct core_ledger *l)
{
    struct core_entry x = {.time_ms = time_of(j, "time_ms"),
                           .pid = count_of(j, "pid"),
                           .signal = (int)(count_of(j, "signal") & 0x7f),
                           .end = CORE_END_END,
                           .sensitive = json_is_true(json_object_get(j, "sensitive"))};

    for (int i = 0; i < CORE_END_END; i++)
        if (text_eq(NAMES[i], json_read_text(j, "end")))
            x.end = (enum core_end)i;
    COPY(x.command, j, "command");
    COPY(x.place, j, "place");
    COPY(x.cgroup, j, "cgroup");
    COPY(x.what, j, "what");
    if (l->lasts < LEDGER_LAST && x.end != CORE_END_END)
        l->last[l->lasts++] = x;
}

int core_ledger_decode(const char *json, size_t size, struct core_ledger *ret)
{
    json_auto_t *root = json_read_object(json, size, LEDGER_MAX);
    const json_t *counts = json_object_get(root, "counts"), *list;

    *ret = (struct core_ledger){0};
    if (!root || !text_eq(json_read_text(root, "schema"), SCHEMA))
        return -EBADMSG;
    for (int i = 0; i < CORE_END_END; i++)
        ret->count[i] = count_of(counts, NAMES[i]);
    list = json_object_get(root, "buckets");
    for (size_t i = 0; i < json_array_size(list); i++)
        read_bucket(json_array_get(list, i), ret);
    list = json_object_get(root, "last");
    for (size_t i = 0; i < json_array_size(list); i++)
        read_entry(json_array_get(list, i), ret);
    return 0;
}
