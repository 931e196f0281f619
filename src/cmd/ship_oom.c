/* SPDX-License-Identifier: Apache-2.0
 *
 * The hook: finds the dump and ships it. If there is none or it was cut off, and the JVM goes on, a child requests one
 * as soon as the JVM runs again (cmd/oom_ask.h); the hook itself must have returned by then.
 */
#include "cmd/ship_oom.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/command.h"
#include "base/mem.h"
#include "cmd/oom_ask.h"
#include "hotspot/attach.h"
#include "hotspot/startoptions.h"

enum {
    WHY_MAX = 600,
    NICE = 4 /* the application runs meanwhile: as for following (docs/performance.md) */
};

/* What the JVM does next, if that leaves no time for another dump; NULL: it goes on running. */
static const char *end_of_jvm(const struct oom *o)
{
    return o->options.exit_on_oom == 1    ? "-XX:+ExitOnOutOfMemoryError"
           : o->options.crash_on_oom == 1 ? "-XX:+CrashOnOutOfMemoryError"
                                          : NULL;
}

/* The child has its own session, so that it gets no signal of a terminal, and the JVM's stdout. */
static int leave_it_to_a_child(struct oom *o, const char *text)
{
    pid_t child;

    oom_print(o, text);
    child = fork();
    if (child < 0)
        return command_error(-errno, "java-oom: process %d: no process to ask for a heap dump: %s", oom_pid(o),
                             strerror(errno));
    if (child > 0)
        return 0;
    setsid();
    if (nice(NICE) < 0)
        errno = 0;
    return oom_ask(o);
}

static int without_dump(struct oom *o, const struct oomdump *d)
{
    const char *end = end_of_jvm(o);
    char why[WHY_MAX], text[WHY_MAX + 100];
    struct err e = {0};
    int code;

    oomdump_why(&o->options, d, why, sizeof(why));
    if (end) {
        code = command_error(-FAULT_SOME,
                             "java-oom: process %d: there is no heap dump (%s), and none can be made: %s ends it now. "
                             "Set -XX:+HeapDumpOnOutOfMemoryError, and -XX:HeapDumpPath to a folder with room",
                             oom_pid(o), why, end);
    } else if (attach_possible(&o->jvm, &e) < 0) {
        code =
            command_error(-FAULT_SOME, "java-oom: process %d: there is no heap dump (%s): %s", oom_pid(o), why, e.msg);
    } else {
        snprintf(text, sizeof(text),
                 "it has made no heap dump (%s): it is asked for one now, which lacks what is freed by then", why);
        return leave_it_to_a_child(o, text);
    }
    oom_ship_leftover(o, d);
    return code;
}

/* The dump that was cut off is stored, or is being shipped. */
static int after_cut_dump(struct oom *o)
{
    const char *end = end_of_jvm(o);
    struct err e = {0};

    if (end)
        return command_error(-FAULT_SOME,
                             "java-oom: process %d: its heap dump is not whole, and no other can be made: %s ends it "
                             "now. Set -XX:HeapDumpPath to a folder with room",
                             oom_pid(o), end);
    if (attach_possible(&o->jvm, &e) < 0)
        return command_error(-FAULT_SOME, "java-oom: process %d: its heap dump is not whole: %s", oom_pid(o), e.msg);
    return leave_it_to_a_child(o, "its heap dump is not whole: it is asked for another one now, which lacks what is "
                                  "freed by then");
}

static int handle(struct oom *o)
{
    CLEANUP(oomdump_done) struct oomdump d = {0};
    struct err e = {0};
    int exit_code, r;

    if (startoptions_complete(&o->jvm) < 0)
        return command_error(-ENOMEM, "out of memory");
    o->options = o->jvm.options;
    if ((r = oomdump_find(&o->jvm, &o->options, &d, &e)) < 0)
        return command_fail(r, &e);
    if (!oom_ship_what_is_here(o, &d, &exit_code))
        return without_dump(o, &d);
    return o->cut && exit_code == 0 ? after_cut_dump(o) : exit_code;
}

int ship_oom(struct shipping *s, pid_t pid)
{
    struct oom o = {.shipping = s, .jvm = JVM_NONE};
    struct err e = {0};
    int r, exit_code;

    o.until_ms = clock_mono_ms() + s->plan->give_up_ms;
    s->sentence = true;
    if ((r = jvm_open("/proc", pid, &o.jvm, &e)) < 0)
        return command_error(r, "java-oom: %s", e.msg);
    exit_code = handle(&o);
    jvm_done(&o.jvm);
    return exit_code;
}
