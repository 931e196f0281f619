/* SPDX-License-Identifier: Apache-2.0
 *
 * The hook: finds the dump and ships it. Where there is none, and the JVM goes on, a child asks for one as soon as the
 * JVM runs again; the hook itself must have returned by then.
 */
#include "cmd/ship_oom.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/oomdump.h"
#include "base/clock.h"
#include "base/command.h"
#include "base/mem.h"
#include "jvm/attach.h"
#include "jvm/heapdump.h"
#include "jvm/startoptions.h"

enum {
    WHY_MAX = 600,
    NICE = 4 /* the application goes on: as docs/performance.md for following */
};

/* One out of memory. */
struct oom {
    struct shipping *shipping;
    struct jvm jvm;
    struct jvmopts options; /* borrowed from jvm, or what it said of itself */
    uint64_t until_ms;
    const char *asked;  /* path of a dump that it was asked for; NULL */
    struct pause pause; /* that it made for that one */
};

static int pid_of(const struct oom *o)
{
    return (int)o->jvm.status.inner_pid;
}

/* On stdout, which is the JVM's and the task's log. */
static void tell(const struct oom *o, const char *text)
{
    printf("salvage: java-oom: process %d: %s\n", pid_of(o), text);
    fflush(stdout);
}

static int ship(struct oom *o, const char *path, bool of_this_process)
{
    struct shipping *s = o->shipping;
    struct err e = {0};
    int r;

    s->pause = of_this_process ? o->pause : (struct pause){.by = PAUSE_UNKNOWN};
    s->pid = of_this_process ? (uint64_t)pid_of(o) : 0;
    s->jvm = of_this_process ? o->jvm.version : NULL;
    s->command = of_this_process ? o->jvm.command : NULL;
    r = shipping_file(s, path, &e);
    return r < 0 ? command_error(r, "java-oom: process %d: %s", pid_of(o), e.msg) : 0;
}

/* An older dump under the same name would be in the way of the next one, too; nobody else will come for it. */
static void ship_leftover(struct oom *o, const struct oomdump *d)
{
    if (!d->leftover || d->watched)
        return;
    fprintf(stderr, "salvage: %s: is an older process's: shipped, too\n", d->leftover);
    ship(o, d->leftover, false);
}

/* 1 if there is nothing left to do (*ret_exit_code), 0 if there is no dump. */
static int ship_what_is_here(struct oom *o, struct oomdump *d, int *ret_exit_code)
{
    char text[WHY_MAX];

    oomdump_await_watch(d);
    if (d->here) {
        *ret_exit_code = ship(o, d->path, true);
        ship_leftover(o, d);
        return 1;
    }
    if (!oomdump_taken(&o->options, d))
        return 0;
    snprintf(text, sizeof(text), "a watch of its folder ships %s", d->path);
    tell(o, text);
    *ret_exit_code = 0;
    return 1;
}

/* --- in the child, while the application goes on ---------------------------------------------------------------------
 */

static uint64_t time_left(const struct oom *o)
{
    uint64_t now = clock_mono_ms();

    return now < o->until_ms ? o->until_ms - now : 0;
}

/* What was set at run time (jcmd, JMX) is in no command line. */
static int ask_options(struct oom *o, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct attach_wait wait = {.timeout_ms = time_left(o)};
    struct jvmopts now = JVMOPTS_NONE;
    int r = attach_ask(&o->jvm, "jcmd", (const char *[ATTACH_ARGS]){"VM.flags"}, &wait, &text, e);

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

/* Half a dump is evidence, too. */
static int ask_dump(struct oom *o, char **ret, struct err *e)
{
    CLEANUP(heapdump_done) struct heapdump d = HEAPDUMP_NONE;
    char name[HEAPDUMP_NAME_MAX];
    /* All: as HotSpot's own dump at an OutOfMemoryError, without a collection before it. */
    struct heapdump_request rq = {.name = heapdump_name(&o->jvm, false, name), .wait = {.timeout_ms = time_left(o)}};
    int r = heapdump_make(&o->jvm, &rq, &d, e);

    if (r < 0)
        return r;
    o->pause = d.pause;
    r = proc_path(&o->jvm.proc, d.inner, ret);
    return r < 0 ? err_set(e, r, "%s: %s", d.inner, strerror(-r)) : 0;
}

static int get_dump(struct oom *o)
{
    CLEANUP(oomdump_done) struct oomdump d = {0};
    CLEANUP_FREE char *path = NULL;
    struct err e = {0};
    int exit_code, r;

    if ((r = ask_options(o, &e)) == 0 && (r = oomdump_find(&o->jvm, &o->options, &d, &e)) == 0) {
        if (ship_what_is_here(o, &d, &exit_code))
            return exit_code;
        r = ask_dump(o, &path, &e);
    }
    if (r == -ESRCH)
        return command_error(r,
                             "java-oom: process %d: it ended before it could be asked for a heap dump: "
                             "-XX:+HeapDumpOnOutOfMemoryError makes one before",
                             pid_of(o));
    if (r < 0)
        return command_error(r, "java-oom: process %d: there is no heap dump: %s", pid_of(o), e.msg);
    exit_code = ship(o, path, true);
    ship_leftover(o, &d);
    return exit_code;
}

/* --- in the hook
 * ------------------------------------------------------------------------------------------------------ */

/* The child has a session of its own, so that no terminal's signal meets it, and the JVM's stdout. */
static int leave_it_to_a_child(struct oom *o, const char *why)
{
    char text[WHY_MAX + 100];
    pid_t child;

    snprintf(text, sizeof(text),
             "it has made no heap dump (%s): it is asked for one now, which lacks what is freed by then", why);
    tell(o, text);
    child = fork();
    if (child < 0)
        return command_error(-errno, "java-oom: process %d: no process to ask for a heap dump: %s", pid_of(o),
                             strerror(errno));
    if (child > 0)
        return 0;
    setsid();
    if (nice(NICE) < 0)
        errno = 0;
    return get_dump(o);
}

static int without_dump(struct oom *o, const struct oomdump *d)
{
    bool exits = o->options.exit_on_oom == 1, crashes = o->options.crash_on_oom == 1;
    char why[WHY_MAX];
    struct err e = {0};

    oomdump_why(&o->options, d, why, sizeof(why));
    if (exits || crashes) {
        int code =
            command_error(-FAULT_SOME,
                          "java-oom: process %d: there is no heap dump (%s), and none can be made: %s ends it now. "
                          "Set -XX:+HeapDumpOnOutOfMemoryError, and -XX:HeapDumpPath to a folder with room",
                          pid_of(o), why, exits ? "-XX:+ExitOnOutOfMemoryError" : "-XX:+CrashOnOutOfMemoryError");

        ship_leftover(o, d);
        return code;
    }
    if (attach_possible(&o->jvm, &e) < 0) {
        int code =
            command_error(-FAULT_SOME, "java-oom: process %d: there is no heap dump (%s): %s", pid_of(o), why, e.msg);

        ship_leftover(o, d);
        return code;
    }
    return leave_it_to_a_child(o, why);
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
    return ship_what_is_here(o, &d, &exit_code) ? exit_code : without_dump(o, &d);
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
