/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage ship: ships named files or stdin, in the foreground; or what a JVM leaves at an OutOfMemoryError
 * (cmd/ship_oom.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/ship_oom.h"
#include "linux/interrupt.h"
#include "place/environment_facts.h"
#include "ship/key_template.h"
#include "ship/plancheck.h"
#include "ship/shipping.h"

struct ship_options {
    struct plan_options plan;
    const char *cause, *name;
    bool json, remove;
    uint64_t oom;
};

static const struct opt SHIP_OPTIONS[] = {
    PLAN_OPTIONS_STORE(struct ship_options, plan),
    PLAN_OPTIONS_SHIP(struct ship_options, plan),
    {OPT_STRING, 0, "cause", "NAME", NULL, offsetof(struct ship_options, cause),
     "why it was made: java-oom, oom-kill, pressure, signal, prestop, manual; default: what the file says itself, else "
     "manual; with --oom java-oom"},
    {OPT_STRING, 0, "name", "NAME", NULL, offsetof(struct ship_options, name),
     "of what comes on stdin ('-'), as a file would be called: app.hprof"},
    {OPT_FLAG, 0, "json", NULL, NULL, offsetof(struct ship_options, json), "print the manifest, not the URL"},
    {OPT_FLAG, 0, "remove", NULL, NULL, offsetof(struct ship_options, remove),
     "erase the file once the store has it and has been asked; --oom does so without it, unless --keep is given"},
    {OPT_UINT, 0, "oom", "PID", NULL, offsetof(struct ship_options, oom),
     "instead of files: the heap dump of this Java VM, which has run out of memory"},
    {OPT_EXCLUDES, .name = "keep", .arg = "remove"},
    {OPT_END, 0, NULL, NULL, NULL, 0, NULL},
};

static bool is_stdin(const char *operand)
{
    return text_eq(operand, "-");
}

/* stdin becomes /dev/null: the writer of a pipe notices its end only when no descriptor of it is open. */
static int take_stdin(struct err *e)
{
    CLEANUP_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CLEANUP_FD int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    if (null < 0 || fd < 0 || dup2(null, STDIN_FILENO) < 0)
        return err_set(e, -errno, "stdin: %s", strerror(errno));
    return TAKE_FD(fd);
}

static int ship_stdin(struct shipping *s, const char *name)
{
    struct err e = {0};
    struct shipping_stream stream = {.fd = take_stdin(&e), .name = name, .uid = getuid()};
    int r, exit_code;

    interrupt_catch();
    r = stream.fd < 0 ? stream.fd : shipping_stream(s, &stream, NULL, &e);
    exit_code = r < 0 ? command_fail(r, &e) : 0;
    interrupt_release();
    return exit_code;
}

static int ship_file(struct shipping *s, const char *path)
{
    struct err e = {0};
    int r = shipping_file(s, path, &e);

    return r < 0 ? command_fail(r, &e) : 0;
}

/* A file that fails does not stop the others; the first fault is the exit code. */
static int ship_files(struct shipping *s, const char *name, char *const *files, int count)
{
    int exit_code = 0;

    for (int i = 0; i < count; i++) {
        int code = is_stdin(files[i]) ? ship_stdin(s, name) : ship_file(s, files[i]);

        exit_code = exit_code ? exit_code : code;
    }
    return exit_code;
}

static int check_stdin(const char *name, char *const *files, int count)
{
    struct stat st;
    int asked = 0;

    for (int i = 0; i < count; i++)
        asked += is_stdin(files[i]);
    if (asked == 0)
        return name ? command_error(-FAULT_USAGE, "ship: --name is for what comes on stdin ('-'); files have names")
                    : 0;
    if (asked > 1)
        return command_error(-FAULT_USAGE, "ship: stdin ('-') can be read once only");
    if (!name || !*name)
        return command_error(-FAULT_USAGE,
                             "ship: what comes on stdin has no name: give --name, as in --name app.hprof");
    if (strchr(name, '/') || text_eq(name, ".") || text_eq(name, ".."))
        return command_error(-FAULT_USAGE, "ship: --name %s: a name, not a path", name);
    if (fstat(STDIN_FILENO, &st) < 0)
        return command_error(-FAULT_USAGE, "ship: stdin is closed");
    if (isatty(STDIN_FILENO))
        return command_error(-FAULT_USAGE, "ship: stdin is a terminal: pipe something into it");
    return 0;
}

static int check(const struct ship_options *o, char *const *files, int count)
{
    if (o->oom == 0 && count == 0)
        return command_error(-FAULT_USAGE, "ship: which file? salvage ship FILE --to URL");
    if (o->oom > 0 && count > 0)
        return command_error(-FAULT_USAGE, "ship: --oom finds the file itself: leave out the names");
    if (o->plan.keep && o->remove)
        return command_error(-FAULT_USAGE, "ship: --keep, or --remove: not both");
    if (o->oom > INT_MAX)
        return command_error(-FAULT_USAGE, "--oom: there is no process of such a number");
    if (o->oom > 0 && (!o->plan.to || !*o->plan.to))
        return command_error(-FAULT_USAGE,
                             "java-oom: process %d: nothing is shipped, as there is no store: set "
                             "SALVAGE_TO in the JVM's environment (s3://bucket/prefix, https://host/path, "
                             "file:///folder)",
                             (int)o->oom);
    return check_stdin(o->name, files, count);
}

static int run(int argc, char **argv)
{
    struct ship_options o = {0};
    CLEANUP(plan_done) struct plan plan = {0};
    CLEANUP(whoami_done) struct whoami who = {0};
    CLEANUP(facts_done) struct facts facts = {0};
    CLEANUP_FREE char **files = NULL;
    struct shipping s = {.plan = &plan, .who = &who, .facts = &facts};
    struct err e = {0};
    int count = opt_parse(SHIP_OPTIONS, &(struct opt_argv){argc, argv}, &o, &files, &e), exit_code, r;

    if (count < 0)
        return command_fail(count, &e);
    if ((exit_code = check(&o, files, count)) != 0)
        return exit_code;
    log_set_format((enum log_format)o.plan.log);
    if ((r = plan_init(&plan, &o.plan, &e)) < 0)
        return command_fail(r, &e);
    /* At an OutOfMemoryError the dump is made first, whatever is wrong with the options: it can be shipped later. */
    if (o.oom == 0 && ((r = plancheck(&plan, o.plan.state, NULL, &e)) < 0 || (r = plancheck_proxy(&plan, &e)) < 0))
        return command_fail(r, &e);
    if ((r = whoami_get("/", &who, &e)) < 0)
        return command_fail(r, &e);
    if (environment_facts_get("/", &who, &facts) < 0)
        return command_error(-ENOMEM, "out of memory");
    /* A file that a user ships stays; a dump at an OutOfMemoryError must not fill the disk. */
    plan.keep = o.plan.keep || (o.oom == 0 && !o.remove);
    if (o.oom > 0 && plan.give_up_ms == 0)
        plan.give_up_ms = SHIP_OOM_GIVE_UP_MS;
    s.state = o.plan.state;
    s.json = o.json;
    s.cause = o.cause ? o.cause : o.oom > 0 ? "java-oom" : "manual";
    s.cause_is_guess = !o.cause && o.oom <= 0;
    exit_code = o.oom > 0 ? ship_oom(&s, (pid_t)o.oom) : ship_files(&s, o.name, files, count);
    sink_close(s.sink);
    return exit_code;
}

const struct command CMD_SHIP = {
    .name = "ship",
    .args = "FILE...|- --to URL",
    .summary = "ship files now: compress, send, verify",
    .text =
        "Prints where each file went. An interrupted run is gone on with by running it again. A file that is still "
        "being written to is waited for. The file stays; with --remove it is erased once the store has it and has been "
        "asked for it.\n\n"
        "With '-' what comes on stdin is shipped, under --name, and touches no disk. It can't be gone on with: if the "
        "store fails for longer than a few tries, or we are interrupted, nothing of it stays in the store.\n\n"
        "With --oom it is a Java VM's OnOutOfMemoryError command, and --to comes from SALVAGE_TO in the JVM's "
        "environment. It finds the dump by the JVM's options, ships it, and prints where it went on stdout, which is "
        "the JVM's. The JVM stands still meanwhile; so without --give-up it gives up after 10 minutes. If the JVM has "
        "made no dump, or a cut one (a full disk; it is shipped, too), and does not exit, one is asked for and shipped "
        "from the background as soon as the JVM runs again: into a folder with room, else straight into the store "
        "(JDK 17 to 21). Where neither is possible, or would take longer than --give-up, threads and histogram are "
        "shipped.",
    .examples = "salvage ship /dumps/app.hprof --to s3://evidence/prod\n"
                "    to S3\n"
                "salvage ship core.1234 --remove --to https://files.example/dumps/\n"
                "    to a file server, by PUT, and off the disk\n"
                "salvage ship *.hprof --to file:///mnt/evidence --compress zstd:9\n"
                "    into a folder, compressed harder\n"
                "pg_dump app | salvage ship - --name app.sql --to s3://evidence/prod\n"
                "    what another program writes, without a file\n"
                "java -XX:+HeapDumpOnOutOfMemoryError -XX:OnOutOfMemoryError='salvage ship --oom %p' ...\n"
                "    what a Java VM dumps when it runs out of memory (SALVAGE_TO set)\n",
    .options = SHIP_OPTIONS,
    .run = run,
};
