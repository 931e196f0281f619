/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the options, sets them, and reads them again. HeapDumpPath is set before the switch, and undone after it: if we
 * are killed in between, the JVM does not dump, but it never dumps outside of the watched folder.
 */
#include "hotspot/arm.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "hotspot/diagnostics.h"
#include "hotspot/vmflags.h"

static const char SWITCH[] = "HeapDumpOnOutOfMemoryError";
static const char PATH[] = "HeapDumpPath";

static void flags_done(struct arm_flags *f)
{
    free(f->path);
    *f = (struct arm_flags){0};
}

void arm_result_done(struct arm_result *r)
{
    flags_done(&r->before);
    flags_done(&r->now);
}

static int pid_of(const struct jvm *j)
{
    return (int)j->proc.pid;
}

static int read_flags(const struct jvm *j, const struct attach_wait *wait, struct arm_flags *ret, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct vmflag on, path, gzip;
    struct arm_flags f = {0};
    int r = attach_ask(j, ATTACH_JCMD(DIAGNOSTIC_FLAGS_ALL), wait, &text, e);

    if (r < 0)
        return r;
    if (!vmflags_find(buf_text(&text), text.size, SWITCH, &on) ||
        !vmflags_find(buf_text(&text), text.size, PATH, &path))
        return err_set(e, -FAULT_FORMAT, "JVM %d does not list its option %s", pid_of(j), SWITCH);
    if (path.size > 0 && !(f.path = strndup(path.value, path.size)))
        return err_set(e, -ENOMEM, "out of memory");
    f.on = vmflags_is(&on, "true");
    f.attached = !on.origin || vmflags_set_by(&on, "attach");
    f.gzip = vmflags_find(buf_text(&text), text.size, "HeapDumpGzipLevel", &gzip) && !vmflags_is(&gzip, "0");
    flags_done(ret);
    *ret = f;
    return 0;
}

static int set_flag(const struct jvm *j, const struct attach_wait *wait, const char *name, const char *value,
                    struct err *e)
{
    CLEANUP(buf_done) struct buf text = {0};

    return attach_ask(j, &(struct attach_question){"setflag", {name, value}}, wait, &text, e);
}

/* Planning */

/* The options to set. */
struct change {
    char *path; /* NULL: unchanged */
    int on;     /* -1: unchanged */
};

static void change_done(struct change *c)
{
    free(c->path);
}

static bool is_users(const struct jvm *j, const struct arm_flags *f)
{
    return f->path && (!armplace_is_ours(j, f->path) || text_eq(f->path, j->options.heap_dump_path));
}

/* Whether the JVM is armed for this folder already. Its path is kept, whatever time is in it: the clock may have been
 * set. */
static bool dumps_into(const struct jvm *j, const struct arm_flags *f, const char *dir)
{
    size_t length = strlen(dir);

    return f->path && armplace_is_ours(j, f->path) && text_ends(f->path, ".gz") == f->gzip &&
           strncmp(f->path, dir, length) == 0 && f->path + length + !text_eq(dir, "/") == text_base_name(f->path);
}

static int plan_path(const struct jvm *j, const struct arm_request *request, const struct arm_flags *now,
                     struct change *c, struct err *e)
{
    CLEANUP_FREE char *dir = NULL;
    CLEANUP_FREE char *name = NULL;
    int r = armplace_find(&request->place, j, &dir, e);

    if (r < 0 || dumps_into(j, now, dir))
        return r;
    if (!(name = armplace_name(j, now->gzip)) || asprintf(&c->path, "%s/%s", text_eq(dir, "/") ? "" : dir, name) < 0) {
        c->path = NULL;
        return err_set(e, -ENOMEM, "out of memory");
    }
    return 0;
}

static int plan_arming(const struct jvm *j, const struct arm_request *request, struct arm_result *result,
                       struct change *c, struct err *e)
{
    c->on = result->before.on ? -1 : 1;
    result->own_path = is_users(j, &result->before) && !request->force;
    return result->own_path ? 0 : plan_path(j, request, &result->before, c, e);
}

/* A switch that was set by JMX or jcmd is not ours to undo. */
static int plan_undoing(const struct jvm *j, const struct arm_result *result, struct change *c, struct err *e)
{
    const struct arm_flags *now = &result->before;
    const char *said = j->options.heap_dump_path;

    c->on = now->on && now->attached && j->options.heap_dump != 1 ? 0 : -1;
    if (!now->path || is_users(j, now))
        return 0;
    c->path = strdup(said ? said : "");
    return c->path ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* Setting */

static int apply(const struct jvm *j, const struct attach_wait *wait, const struct change *c, struct err *e)
{
    int r = 0;

    if (c->on == 0)
        r = set_flag(j, wait, SWITCH, "0", e);
    if (r == 0 && c->path)
        r = set_flag(j, wait, PATH, c->path, e);
    if (r == 0 && c->on == 1)
        r = set_flag(j, wait, SWITCH, "1", e);
    return r;
}

static int check_applied(const struct jvm *j, const struct change *c, const struct arm_flags *now, struct err *e)
{
    if ((c->on < 0 || now->on == c->on) && (!c->path || text_eq(c->path, now->path ? now->path : "")))
        return 0;
    return err_set(e, -EPROTO, "JVM %d: set %s=%s, but it reports %s=%s: another program sets this option, too",
                   pid_of(j), PATH, c->path ? c->path : "", PATH, now->path ? now->path : "");
}

/* "OutOfMemoryError java_heap_errors=2" and the like (exceptions.cpp, print_exception_counts_on_error). Best effort. */
static bool has_run_out_of_memory(const struct jvm *j, const struct attach_wait *wait)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct err e = {0};

    return attach_ask(j, ATTACH_JCMD(DIAGNOSTIC_INFO), wait, &text, &e) == 0 &&
           strstr(buf_text(&text), "\nOutOfMemoryError java_heap_errors=");
}

/* Sets the options, and reads back what the JVM has. */
static int change_flags(const struct jvm *j, const struct attach_wait *wait, const struct change *c,
                        struct arm_result *result, struct err *e)
{
    int r = apply(j, wait, c, e);

    if (r == 0)
        r = read_flags(j, wait, &result->now, e);
    return r < 0 ? r : check_applied(j, c, &result->now, e);
}

static int copy_flags(struct arm_result *result, struct err *e)
{
    result->now = result->before;
    if (result->before.path && !(result->now.path = strdup(result->before.path)))
        return err_set(e, -ENOMEM, "out of memory");
    return 0;
}

static int carry_out(const struct jvm *j, const struct arm_request *request, struct arm_result *result, struct err *e)
{
    CLEANUP(change_done) struct change c = {.on = -1};
    const struct attach_wait *wait = &request->wait;
    int r = read_flags(j, wait, &result->before, e);
    bool something;

    if (r == 0)
        r = request->undo ? plan_undoing(j, result, &c, e) : plan_arming(j, request, result, &c, e);
    if (r < 0)
        return r;
    something = c.path || c.on >= 0;
    if ((r = something ? change_flags(j, wait, &c, result, e) : copy_flags(result, e)) < 0)
        return r;
    if (request->undo)
        result->outcome = something ? ARM_DISARMED : ARM_NOT_ARMED;
    else
        result->outcome = something ? ARM_ARMED : ARM_ALREADY;
    result->too_late = request->history && !request->undo && has_run_out_of_memory(j, wait);
    return 0;
}

int arm_jvm(const struct jvm *j, const struct arm_request *request, struct arm_result *ret, struct err *e)
{
    assert(j->proc.fd >= 0 && request && ret);
    CLEANUP(arm_result_done) struct arm_result result = {0};
    int r = carry_out(j, request, &result, e);

    if (r < 0)
        return r;
    *ret = result;
    result = (struct arm_result){0};
    return 0;
}
