/* SPDX-License-Identifier: Apache-2.0
 *
 * One function for each kind of event that counts; all others are passed over by their size.
 */
#include "jfr/jfr_recording.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/java_name.h"
#include "base/mem.h"
#include "jfr/jfr_chunk.h"

enum { FIELDS_MAX = 8, CHUNKS_MAX = 1 << 20 };

struct reading {
    struct jfr_recording *r;
    const struct jfr_chunk *chunk;
    const struct jfr_value *v; /* of the event's fields, as its row names them */
};

static const char *const CONSTANTS[] = {
    "java.lang.Class",   "jdk.types.Symbol",     "jdk.types.OldObject",
    "jdk.types.GCCause", "jdk.types.GCWhen",     "jdk.types.Method",
    "java.lang.String",  "jdk.types.StackTrace", NULL,
};

/* --- values --- */

/* The first `count` fields of a constant. */
static bool constant(const struct reading *k, const struct jfr_value *v, const char *const *names,
                     struct jfr_value *values)
{
    const struct jfr_wanted wanted = {names, values};
    struct jfr_cursor c;

    return v->class != JFR_NONE && v->constant && jfr_constant_find(k->chunk, v->class, v->number, &c) &&
           jfr_value_read(&k->chunk->types, &c, v->class, &wanted);
}

static void text(const struct reading *k, const struct jfr_value *v, char *out, size_t size)
{
    struct jfr_text t = v->text;
    struct jfr_cursor c;

    if (t.encoding == JFR_CONSTANT) {
        if (!jfr_constant_find(k->chunk, v->class, t.key, &c))
            t.encoding = JFR_NULL;
        else
            t = jfr_text_read(&c);
    }
    jfr_text_copy(&t, k->chunk->compressed, out, size);
}

/* The text of a constant with one field of that name: Symbol, GCCause ... */
static bool text_constant(const struct reading *k, const struct jfr_value *v, const char *field, char *out, size_t size)
{
    const char *const names[] = {field, NULL};
    struct jfr_value value;

    *out = '\0';
    if (constant(k, v, names, &value))
        text(k, &value, out, size);
    return *out != '\0';
}

/* Of a java.lang.Class. */
static bool class_name(const struct reading *k, const struct jfr_value *v, char out[JFR_NAME_MAX])
{
    static const char *const NAMES[] = {"name", NULL};
    struct jfr_value name;
    char symbol[JFR_NAME_MAX];

    if (!constant(k, v, NAMES, &name))
        return false;
    if (!text_constant(k, &name, "string", symbol, sizeof(symbol)))
        return false;
    java_name(symbol, strlen(symbol), out, JFR_NAME_MAX);
    return true;
}

static uint64_t time_of(const struct reading *k, const struct jfr_value *ticks)
{
    return ticks->number < k->chunk->start_ticks
               ? k->chunk->start_ns
               : k->chunk->start_ns + jfr_ticks_ns(k->chunk, ticks->number - k->chunk->start_ticks);
}

/* --- events --- */

static int on_jvm(struct reading *k)
{
    struct jfr_recording *r = k->r;

    text(k, &k->v[1], r->jvm, sizeof(r->jvm));
    text(k, &k->v[2], r->version, sizeof(r->version));
    text(k, &k->v[3], r->command, sizeof(r->command));
    text(k, &k->v[4], r->options, sizeof(r->options));
    r->pid = (int64_t)k->v[5].number;
    return 0;
}

static int on_collection(struct reading *k)
{
    struct jfr_recording *r = k->r;
    uint64_t pauses = jfr_ticks_ns(k->chunk, k->v[1].number), longest = jfr_ticks_ns(k->chunk, k->v[2].number);
    char cause[JFR_NAME_MAX];

    r->collections++;
    r->pause_ns += pauses;
    if (longest > r->longest_ns) {
        r->longest_ns = longest;
        r->longest_at_ns = time_of(k, &k->v[0]);
    }
    if (!text_constant(k, &k->v[3], "cause", cause, sizeof(cause)))
        snprintf(cause, sizeof(cause), "unknown");
    return jfr_counts_add(&r->causes, cause, pauses);
}

static int on_pause(struct reading *k)
{
    k->r->pauses++;
    return 0;
}

static int on_heap(struct reading *k)
{
    struct jfr_recording *r = k->r;
    char when[32];

    if (!text_constant(k, &k->v[1], "when", when, sizeof(when)) || strncmp(when, "After", 5) != 0)
        return 0;
    r->heap_samples++;
    r->heap_after_last = k->v[2].number;
    if (r->heap_after_last > r->heap_after_most)
        r->heap_after_most = r->heap_after_last;
    return 0;
}

static void add_share(struct jfr_share *s, double share)
{
    share = share > 0 && share <= 1 ? share : share > 1 ? 1 : 0; /* NaN is 0 */
    s->sum += share;
    s->most = share > s->most ? share : s->most;
}

static int on_load(struct reading *k)
{
    k->r->loads++;
    add_share(&k->r->jvm_load, k->v[1].real + k->v[2].real);
    add_share(&k->r->machine_load, k->v[3].real);
    return 0;
}

static int on_old_object(struct reading *k)
{
    static const char *const NAMES[] = {"type", NULL};
    struct jfr_value type;
    char name[JFR_NAME_MAX];

    if (!constant(k, &k->v[1], NAMES, &type) || !class_name(k, &type, name))
        snprintf(name, sizeof(name), "unknown");
    return jfr_counts_add(&k->r->old_objects, name, 0);
}

static int on_allocation(struct reading *k)
{
    char name[JFR_NAME_MAX];

    return class_name(k, &k->v[1], name) ? jfr_counts_add(&k->r->allocated, name, k->v[2].number) : 0;
}

static int on_error(struct reading *k)
{
    char name[JFR_NAME_MAX];

    return class_name(k, &k->v[1], name) ? jfr_counts_add(&k->r->errors, name, 0) : 0;
}

static int on_loss(struct reading *k)
{
    k->r->lost_bytes += k->v[1].number;
    return 0;
}

static int on_reason(struct reading *k)
{
    text(k, &k->v[1], k->r->reason, sizeof(k->r->reason));
    return 0;
}

static int on_shutdown(struct reading *k)
{
    text(k, &k->v[1], k->r->shutdown, sizeof(k->r->shutdown));
    return 0;
}

/* The method of the first frame of a StackTrace, which is {truncated, frames[] {method, ...}}. */
static bool top_method(const struct reading *k, const struct jfr_value *trace, struct jfr_value *ret)
{
    static const char *const METHOD[] = {"method", NULL};
    const struct jfr_types *t = &k->chunk->types;
    const struct jfr_wanted wanted = {METHOD, ret};
    struct jfr_cursor c;

    if (trace->class == JFR_NONE || !jfr_constant_find(k->chunk, trace->class, trace->number, &c))
        return false;
    for (uint32_t i = 0; i < t->classes[trace->class].field_count; i++) {
        const struct jfr_field *f = &t->fields[t->classes[trace->class].first_field + i];
        size_t steps = jfr_steps_for((size_t)(c.end - c.p));

        if (f->array && !f->constant && jfr_text_is(&f->name, "frames"))
            return f->class != JFR_NONE && jfr_number(&c, 4) > 0 && jfr_value_read(t, &c, f->class, &wanted) &&
                   ret->class != JFR_NONE;
        if (f->array || f->constant || !jfr_value_skip(t, &c, f->class, &steps))
            return false;
    }
    return false;
}

static int on_execution(struct reading *k)
{
    static const char *const NAMES[] = {"type", "name", NULL};
    struct jfr_value method, part[2];
    char class[JFR_NAME_MAX], name[JFR_NAME_MAX], both[2 * JFR_NAME_MAX];

    if (!top_method(k, &k->v[1], &method) || !constant(k, &method, NAMES, part) || !class_name(k, &part[0], class) ||
        !text_constant(k, &part[1], "string", name, sizeof(name)))
        return jfr_counts_add(&k->r->methods, "unknown", 0);
    snprintf(both, sizeof(both), "%s.%s", class, name);
    return jfr_counts_add(&k->r->methods, both, 0);
}

#define ALLOCATION "jdk.ObjectAllocationSample"

static const struct row {
    const char *event;
    const char *fields[FIELDS_MAX]; /* the first is its time */
    int (*fn)(struct reading *k);
    const char *unless; /* not if the JVM has this kind of event, which counts the same */
} ROWS[] = {
    {"jdk.JVMInformation",
     {"startTime", "jvmName", "jvmVersion", "javaArguments", "jvmArguments", "pid"},
     on_jvm,
     NULL},
    {"jdk.GarbageCollection", {"startTime", "sumOfPauses", "longestPause", "cause"}, on_collection, NULL},
    {"jdk.GCPhasePause", {"startTime"}, on_pause, NULL},
    {"jdk.GCHeapSummary", {"startTime", "when", "heapUsed"}, on_heap, NULL},
    {"jdk.CPULoad", {"startTime", "jvmUser", "jvmSystem", "machineTotal"}, on_load, NULL},
    {"jdk.OldObjectSample", {"startTime", "object"}, on_old_object, NULL},
    {ALLOCATION, {"startTime", "objectClass", "weight"}, on_allocation, NULL}, /* JDK 16 and newer */
    {"jdk.ObjectAllocationInNewTLAB", {"startTime", "objectClass", "tlabSize"}, on_allocation, ALLOCATION},
    {"jdk.ObjectAllocationOutsideTLAB", {"startTime", "objectClass", "allocationSize"}, on_allocation, ALLOCATION},
    {"jdk.ExecutionSample", {"startTime", "stackTrace"}, on_execution, NULL},
    {"jdk.JavaErrorThrow", {"startTime", "thrownClass"}, on_error, NULL},
    {"jdk.DataLoss", {"startTime", "amount"}, on_loss, NULL},
    {"jdk.DumpReason", {"startTime", "reason"}, on_reason, NULL},
    {"jdk.Shutdown", {"startTime", "reason"}, on_shutdown, NULL},
};

/* --- chunks --- */

static int class_of_row(const struct jfr_chunk *c, const struct row *row)
{
    if (row->unless && jfr_types_by_name(&c->types, row->unless) != JFR_NONE)
        return JFR_NONE;
    return jfr_types_by_name(&c->types, row->event);
}

static int read_event(struct reading *k, const struct row *row, int class, struct jfr_event *event)
{
    struct jfr_value values[FIELDS_MAX];
    const struct jfr_wanted wanted = {row->fields, values};
    uint64_t time;

    if (!jfr_value_read(&k->chunk->types, &event->fields, class, &wanted))
        return 0;
    k->v = values;
    time = time_of(k, &values[0]);
    if (!k->chunk->finished && time > k->r->end_ns && values[0].class != JFR_NONE)
        k->r->end_ns = time;
    return row->fn(k);
}

static int read_events(struct jfr_recording *r, const struct jfr_chunk *c)
{
    struct reading k = {.r = r, .chunk = c};
    const unsigned char *at = c->from;
    struct jfr_event event;
    int class[ARRAY_SIZE(ROWS)], result = 0;

    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
        class[i] = class_of_row(c, &ROWS[i]);
    while (result == 0 && jfr_chunk_next(c, &at, &event)) {
        r->events += event.type > 1; /* types and constants are none */
        for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
            if (class[i] != JFR_NONE && c->types.classes[class[i]].id == event.type) {
                result = read_event(&k, &ROWS[i], class[i], &event);
                break;
            }
    }
    return result;
}

static void note_chunk(struct jfr_recording *r, const struct jfr_chunk *c)
{
    uint64_t end = c->start_ns + (c->finished ? c->duration_ns : 0);

    r->start_ns = r->chunks == 0 || c->start_ns < r->start_ns ? c->start_ns : r->start_ns;
    r->end_ns = end > r->end_ns ? end : r->end_ns;
    r->chunks++;
    if (c->cut)
        r->cut = c->cut;
    else if (c->types.class_count == 0)
        r->cut = "a chunk has no types";
}

static int read_chunks(const unsigned char *p, const unsigned char *end, struct jfr_recording *r, struct err *e)
{
    struct jfr_chunk before = {0}, chunk;
    int result = 0;

    while (p < end && r->chunks < CHUNKS_MAX) {
        result = jfr_chunk_open((struct jfr_place){p, (size_t)(end - p)}, CONSTANTS, &before.types, &chunk, &p);
        if (result == -EBADMSG && r->chunks > 0) {
            r->cut = "what follows a chunk is none";
            result = 0;
            break;
        }
        if (result < 0)
            break;
        jfr_chunk_done(&before);
        before = chunk;
        note_chunk(r, &chunk);
        if ((result = read_events(r, &chunk)) < 0)
            break;
    }
    jfr_chunk_done(&before);
    if (result == -EPROTONOSUPPORT)
        return err_set(e, -FAULT_FORMAT, "a flight recording of Oracle's JDK 7 or 8, whose format is not read");
    if (result == -EBADMSG)
        return err_set(e, -FAULT_FORMAT, "it is no flight recording");
    return result < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}

int jfr_recording_read(const void *data, size_t size, struct jfr_recording *ret, struct err *e)
{
    struct jfr_recording r = {0};
    int result;

    assert((data || size == 0) && ret);
    result = size == 0 ? err_set(e, -FAULT_FORMAT, "it is empty")
                       : read_chunks(data, (const unsigned char *)data + size, &r, e);
    if (result < 0) {
        jfr_recording_done(&r);
        return result;
    }
    if (r.end_ns < r.start_ns)
        r.end_ns = r.start_ns;
    jfr_counts_sort(&r.causes);
    jfr_counts_sort(&r.old_objects);
    jfr_counts_sort(&r.allocated);
    jfr_counts_sort(&r.methods);
    jfr_counts_sort(&r.errors);
    *ret = r;
    return 0;
}

void jfr_recording_done(struct jfr_recording *r)
{
    jfr_counts_done(&r->causes);
    jfr_counts_done(&r->old_objects);
    jfr_counts_done(&r->allocated);
    jfr_counts_done(&r->methods);
    jfr_counts_done(&r->errors);
}
