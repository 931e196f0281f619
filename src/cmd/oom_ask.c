/* SPDX-License-Identifier: Apache-2.0
 *
 * Tries the largest piece of evidence first, then smaller ones. The JVM is stopped during a dump, so none is begun
 * that would not be in the store before the hook's deadline.
 */
#include "cmd/oom_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/command.h"
#include "base/mem.h"
#include "base/text.h"
#include "hotspot/diagnostics.h"
#include "hotspot/dumpspeed.h"
#include "hotspot/heapuse.h"
#include "ship/heapdump_capture.h"

enum { SILENCE_MS = 30 * 1000 /* how long the JVM may send nothing */ };

/* Options that were set at run time (jcmd, JMX) are in no command line. */
static int ask_options(struct oom *o, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct attach_wait wait = {.timeout_ms = clock_left_ms(o->until_ms)};
    struct jvmopts now = JVMOPTS_NONE;
    int r = attach_ask(&o->jvm, ATTACH_JCMD(DIAGNOSTIC_FLAGS), &wait, &text, e);

    if (r < 0)
        return r;
    if (jvmopts_add_vm_flags(&now, buf_text(&text)) < 0) {
        jvmopts_done(&now);
        return err_set(e, -ENOMEM, "out of memory");
    }
    jvmopts_done(&o->jvm.options);
    o->options = o->jvm.options = now;
    return 0;
}

/* Whether a dump of this size at this rate is ready in time. */
static int check_time(const struct oom *o, uint64_t in_use, uint64_t rate, struct err *e)
{
    char size[TEXT_SIZE_MAX], speed[TEXT_SIZE_MAX];
    uint64_t bytes = heapdump_estimate(in_use), left = clock_left_ms(o->until_ms);

    if (in_use == 0 || rate == 0 || bytes / rate < left / 1000 + 1)
        return 0;
    return err_set(e, -FAULT_LATER,
                   "a heap dump of up to %s would hold the application for longer than the %.0f s that are left "
                   "(SALVAGE_GIVE_UP), at %s/s",
                   text_format_size(bytes, size), (double)left / 1000, text_format_size(rate, speed));
}

/* Makes a dump in a folder. An incomplete dump is evidence, too. */
static int ask_file(struct oom *o, uint64_t in_use, char **ret, struct err *e)
{
    CLEANUP(heapdump_done) struct heapdump d = HEAPDUMP_NONE;
    char name[HEAPDUMP_NAME_MAX];
    /* All objects, as HotSpot's dump at an OutOfMemoryError, without a collection before it. */
    struct heapdump_request rq = {.name = heapdump_name(&o->jvm, false, name),
                                  .in_use = in_use,
                                  .wait = {.timeout_ms = clock_left_ms(o->until_ms)}};
    int r = check_time(o, in_use, DUMPSPEED_GUESS, e);

    if (r < 0 || (r = heapdump_make(&o->jvm, &rq, &d, e)) < 0)
        return r;
    o->pause = d.pause;
    r = proc_path(&o->jvm.proc, d.inner, ret);
    return r < 0 ? err_set(e, r, "%s: %s", d.inner, strerror(-r)) : 0;
}

static struct dump_options options_of(const struct oom *o, uint64_t timeout_ms)
{
    return (struct dump_options){.timeout_ms = timeout_ms, .until_ms = o->until_ms};
}

/* No folder has room: streams the dump. */
static int ask_stream(struct oom *o, uint64_t in_use, struct err *e)
{
    struct dump_options options = options_of(o, SILENCE_MS);
    int r = check_time(o, in_use, o->rate, e);

    return r < 0 ? r : dump_by_stream(&o->jvm, &options, o->shipping, e);
}

/* No dump is possible: ships the small pieces, as one case. */
static int ask_small(struct oom *o, struct err *e)
{
    static const struct {
        const char *diagnostic, *name;
    } pieces[] = {{DIAGNOSTIC_THREADS_LOCKS, "threads.txt"}, {DIAGNOSTIC_HISTOGRAM, "histogram.txt"}};
    struct shipping_case one = {0};
    int first = dump_begin_case(&o->jvm, o->shipping, &one);

    if (first < 0)
        return err_set(e, first, "out of memory");
    o->shipping->shared_case = &one;
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        struct jvm_request request = {
            .jvm = &o->jvm, .diagnostic = pieces[i].diagnostic, .timeout_ms = SILENCE_MS, .until_ms = o->until_ms};
        struct err failure = {0};
        int r = answer_to_store(&request, pieces[i].name, o->shipping, &failure);

        if (r < 0 && first == 0) {
            first = r;
            *e = failure;
        }
    }
    o->shipping->shared_case = NULL;
    return first;
}

/* why: the reason why there is no dump. */
static int without_dump(struct oom *o, int result, const struct err *why)
{
    struct err e = {0};
    char text[1200];
    int r;

    if (result == -ESRCH)
        return command_error(result,
                             "java-oom: process %d: it ended before it could be asked for a heap dump: "
                             "-XX:+HeapDumpOnOutOfMemoryError makes one before",
                             oom_pid(o));
    /* Other errors are about attaching, so the small pieces are not possible either. */
    if (result != -ENOSPC && result != -EACCES && result != -FAULT_LATER)
        return command_error(result, "java-oom: process %d: there is no %sheap dump: %s", oom_pid(o),
                             o->cut ? "whole " : "", why->msg);
    snprintf(text, sizeof(text), "there is no %sheap dump: %.900s; it is asked for threads and histogram instead",
             o->cut ? "whole " : "", why->msg);
    oom_print(o, text);
    r = ask_small(o, &e);
    if (r < 0)
        command_error(r, "java-oom: process %d: threads and histogram: %s", oom_pid(o), e.msg);
    return fault_find(-FAULT_SOME)->exit_code;
}

/* The error has both obstacles. */
static int ask_dump(struct oom *o, char **ret_path, struct err *e)
{
    struct attach_wait wait = {.timeout_ms = clock_left_ms(o->until_ms)};
    struct err no_room, streaming = {0};
    uint64_t in_use;
    int r = heapuse_get(&o->jvm, &wait, &in_use, e), code;

    if (r < 0 || (r = ask_file(o, in_use, ret_path, e)) == 0 || (r != -ENOSPC && r != -EACCES))
        return r;
    no_room = *e;
    if ((code = ask_stream(o, in_use, &streaming)) == 0)
        return 0;
    return err_set(e, code == -ESRCH ? code : r, "%.500s; nor past the disk: %.400s", no_room.msg, streaming.msg);
}

int oom_ask(struct oom *o)
{
    CLEANUP(oomdump_done) struct oomdump d = {0};
    CLEANUP_FREE char *path = NULL;
    struct err e = {0};
    int exit_code = 0, r;

    if ((r = ask_options(o, &e)) == 0 && (r = oomdump_find(&o->jvm, &o->options, &d, &e)) == 0) {
        if (!o->cut && oom_ship_what_is_here(o, &d, &exit_code))
            return exit_code;
        r = ask_dump(o, &path, &e);
    }
    if (r < 0)
        return without_dump(o, r, &e);
    if (path)
        exit_code = oom_ship(o, path, true, NULL);
    oom_ship_leftover(o, &d);
    return exit_code;
}
