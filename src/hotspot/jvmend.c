/* SPDX-License-Identifier: Apache-2.0
 *
 * All numeric counters are recorded under HotSpot's names: which of them will matter is not known beforehand.
 */
#include "hotspot/jvmend.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/jstat.h"
#include "hotspot/jvmheap.h"

enum { NAME_SIZE = 128, WORD_SIZE = 128, SHELL_SIGNAL = 128 };

DEFINE_CLEANUP(json_t *, json_decref)

int jvmend_exit(int status)
{
    return WIFSIGNALED(status) ? SHELL_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

bool jvmend_is_bad(int status)
{
    static const int asked[] = {0, SHELL_SIGNAL + SIGTERM, SHELL_SIGNAL + SIGINT, SHELL_SIGNAL + SIGHUP};

    for (size_t i = 0; i < ARRAY_SIZE(asked) && status != JVMEND_UNKNOWN; i++)
        if (jvmend_exit(status) == asked[i])
            return false;
    return true;
}

const char *jvmend_why(int status)
{
    return status == JVMEND_UNKNOWN ? CAUSE_UNKNOWN : WIFSIGNALED(status) ? CAUSE_SIGNAL : "exit";
}

static void put(json_t *into, const char *name, int64_t n)
{
    json_object_set_new(into, name, json_integer((json_int_t)n));
}

static void put_text(json_t *into, const char *name, const char *text)
{
    if (*text)
        json_object_set_new(into, name, jsonout_text(text, ORIGIN_COMMAND_MAX));
}

static void put_time(json_t *into, const char *name, int64_t wall_ns)
{
    char text[CLOCK_TEXT_MAX];

    if (wall_ns > 0)
        json_object_set_new(into, name, json_string(clock_format(wall_ns, text)));
}

static json_t *end_object(const struct jvmend *end)
{
    json_t *o = json_object();
    char name[WORD_SIZE];

    put_text(o, "why", jvmend_why(end->status));
    if (end->status != JVMEND_UNKNOWN)
        put(o, "status", jvmend_exit(end->status));
    if (end->status != JVMEND_UNKNOWN && WIFSIGNALED(end->status)) {
        const char *abbreviated = sigabbrev_np(WTERMSIG(end->status));

        snprintf(name, sizeof(name), "SIG%s", abbreviated ? abbreviated : "?");
        put_text(o, "signal", name);
    }
    json_object_set_new(o, "orderly", json_boolean(end->orderly));
    return o;
}

static json_t *process_object(const struct jvmend_sample *s)
{
    json_t *o = json_object();

    put_time(o, "time", s->time_ns);
    put(o, "threads", (int64_t)s->threads);
    put(o, "rss", (int64_t)s->rss);
    put(o, "rss_anon", (int64_t)s->rss_anon);
    put(o, "swap", (int64_t)s->swap);
    return o;
}

static json_t *threads_object(const struct hsperf *h)
{
    static const char *const names[] = {"live", "livePeak", "daemon", "started"};
    json_t *o = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char counter[NAME_SIZE];
        int64_t n;

        snprintf(counter, sizeof(counter), "java.threads.%s", names[i]);
        if (hsperf_long(h, counter, &n))
            put(o, names[i], n);
    }
    return o;
}

static json_t *heap_object(const struct hsperf *h)
{
    json_t *o = json_object();
    struct jvmheap heap;

    jvmheap_read(h, &heap);
    put_text(o, "collector", heap.collector ? heap.collector : "");
    if (heap.used >= 0)
        put(o, "used", heap.used);
    if (heap.max >= 0)
        put(o, "max", heap.max);
    return o;
}

static bool is_word(const struct hsperf_entry *e)
{
    return e->type == 'B' && e->name_size > 7 && memcmp(e->name, "sun.gc.", 7) == 0;
}

static json_t *all_counters(const struct hsperf *h)
{
    json_t *o = json_object();
    struct hsperf_entry e;

    for (size_t at = 0; hsperf_next(h, &at, &e);) {
        char raw[NAME_SIZE], name[NAME_SIZE], word[WORD_SIZE];

        snprintf(raw, sizeof(raw), "%.*s", (int)(e.name_size < NAME_SIZE ? e.name_size : NAME_SIZE - 1), e.name);
        text_printable(raw, name, sizeof(name));
        if (e.type == 'J')
            put(o, name, hsperf_number(h, &e));
        else if (is_word(&e) && hsperf_string(h, raw, word, sizeof(word)))
            put_text(o, name, word);
    }
    return o;
}

static void add_counters(json_t *root, const struct hsperf *h, int64_t ended_ns)
{
    double uptime = jstat_uptime(h, ended_ns);

    if (isfinite(uptime))
        json_object_set_new(root, "uptime_s", json_real(uptime));
    json_object_set_new(root, "threads", threads_object(h));
    json_object_set_new(root, "heap", heap_object(h));
    json_object_set_new(root, "counters", all_counters(h));
}

int jvmend_write(const struct jvmend *end, struct buf *ret)
{
    CLEANUP(json_decref_ptr) json_t *root = json_object();
    CLEANUP_FREE char *text = NULL;

    json_object_set_new(root, "schema", json_string("salvage.jvm-end/1"));
    put_time(root, "time", end->ended_ns);
    put(root, "pid", end->pid);
    put_text(root, "command", end->command);
    put_text(root, "jvm", end->version);
    put_time(root, "started", end->started_ns);
    json_object_set_new(root, "ended", end_object(end));
    if (end->sample.time_ns)
        json_object_set_new(root, "process", process_object(&end->sample));
    if (end->counters)
        add_counters(root, end->counters, end->ended_ns);
    if (!(text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12))))
        return -ENOMEM;
    return buf_printf(ret, "%s\n", text);
}

static void copy_member(json_t *from, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(from, name));

    if (text)
        origin_text(out, size, text, strlen(text));
}

void jvmend_origin(const char *text, size_t size, struct origin *ret)
{
    CLEANUP(json_decref_ptr) json_t *root = json_loadb(text, size, JSON_DISABLE_EOF_CHECK, NULL);
    json_t *end = json_object_get(root, "ended");
    json_int_t pid = json_integer_value(json_object_get(root, "pid"));
    const char *why = json_string_value(json_object_get(end, "why"));

    if (!text_eq(why, "exit") && !text_eq(why, CAUSE_SIGNAL))
        why = CAUSE_UNKNOWN;
    if (!root)
        return;
    snprintf(ret->cause, sizeof(ret->cause), "%s", why);
    copy_member(end, "signal", ret->detail, sizeof(ret->detail));
    copy_member(root, "time", ret->time, sizeof(ret->time));
    copy_member(root, "jvm", ret->jvm, sizeof(ret->jvm));
    copy_member(root, "command", ret->command, sizeof(ret->command));
    ret->pid = pid > 0 && pid <= INT32_MAX ? (uint64_t)pid : 0;
}
