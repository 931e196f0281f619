/* SPDX-License-Identifier: Apache-2.0
 *
 * salvage jvm: its subcommands, and the functions that they share.
 */
#include "cmd/jvm.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "hotspot/jvm_find.h"

enum { SCREEN_STEP = 4096 };

int jvm_pid(const char *command, const char *operand, pid_t *ret, struct err *e)
{
    uint64_t pid;

    if (!operand)
        return err_set(e, -FAULT_USAGE, "%s: give a process: salvage %s PID (salvage jvm ps lists them)", command,
                       command);
    if (text_parse_uint(operand, INT_MAX, &pid) < 0 || pid == 0)
        return err_set(e, -FAULT_USAGE, "%s: '%s' is not a process id (salvage jvm ps lists them)", command, operand);
    *ret = (pid_t)pid;
    return 0;
}

bool jvm_is_pid(const char *word)
{
    return word && *word && word[strspn(word, "0123456789")] == '\0';
}

int jvm_only(const char *command, pid_t *ret, struct err *e)
{
    CLEANUP(jvm_pids_done) struct jvm_pids pids = {0};
    int r = jvm_find("/proc", &pids, e);

    if (r < 0)
        return r;
    if (pids.count == 0)
        return err_set(e, -ESRCH, "%s: no JVM is visible from here%s", command,
                       pids.hidden ? ": those of other users only to root, in a container with CAP_SYS_PTRACE" : "");
    if (pids.count > 1)
        return err_set(e, -FAULT_USAGE,
                       "%s: give a process: %zu JVMs are visible from here (salvage jvm ps lists them)", command,
                       pids.count);
    *ret = pids.pid[0];
    return 0;
}

int jvm_target(const char *command, const char *operand, struct jvm *ret, struct err *e)
{
    pid_t pid = 0;
    int r = operand ? jvm_pid(command, operand, &pid, e) : jvm_only(command, &pid, e);

    return r < 0 ? r : jvm_open("/proc", pid, ret, e);
}

/* Removes control characters for a terminal: an answer contains foreign text, such as names of threads. */
static bool write_to_terminal(const char *text, size_t size)
{
    static struct text_screen screen;
    char shown[SCREEN_STEP + sizeof(screen.held)];

    for (size_t at = 0, step; at < size; at += step) {
        step = size - at < SCREEN_STEP ? size - at : SCREEN_STEP;
        size_t some = text_screen(&screen, text + at, step, shown);

        if (fwrite(shown, 1, some, stdout) != some)
            return false;
    }
    return true;
}

static int finish(bool written, struct err *e)
{
    if (written && fflush(stdout) == 0)
        return 0;
    if (errno == EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return err_set(e, -EIO, "cannot write to stdout: %s", strerror(errno));
}

int jvm_write(const char *text, size_t size, struct err *e)
{
    return finish(fwrite(text, 1, size, stdout) == size, e);
}

int jvm_relay(const char *text, size_t size, struct err *e)
{
    static int terminal = -1;

    if (terminal < 0)
        terminal = isatty(STDOUT_FILENO);
    return terminal ? finish(write_to_terminal(text, size), e) : jvm_write(text, size, e);
}

static int write_out(void *ctx, const char *text, size_t size)
{
    return jvm_relay(text, size, ctx);
}

int jvm_print(const struct jvm *j, const struct jvm_options *o, const char *diagnostic, struct err *e)
{
    struct attach_wait wait = {.timeout_ms = o->timeout_ms};

    return attach_stream(j, ATTACH_JCMD(diagnostic), &wait, &(struct attach_reader){write_out, e}, e);
}

static int run(int argc, char **argv)
{
    const char *near = argc > 1 ? command_nearest(CMD_JVM.parts, strlen("jvm "), argv[1]) : NULL;

    if (near)
        return command_error(-FAULT_USAGE, "no command 'jvm %s': did you mean 'jvm %s'? (see 'salvage jvm --help')",
                             argv[1], near);
    if (argc > 1)
        return command_error(-FAULT_USAGE, "no command 'jvm %s': see 'salvage jvm --help'", argv[1]);
    command_print_help(&CMD_JVM, stderr);
    return fault_find(-FAULT_USAGE)->exit_code;
}

static const struct command *const PARTS[] = {
    &CMD_JVM_PS,  &CMD_JVM_STAT,  &CMD_JVM_THREADS, &CMD_JVM_HISTOGRAM, &CMD_JVM_DUMP, &CMD_JVM_PRESTOP,
    &CMD_JVM_ARM, &CMD_JVM_FLAGS, &CMD_JVM_SET,     &CMD_JVM_PROPS,     &CMD_JVM_CMD,  NULL,
};

const struct command CMD_JVM = {
    .name = "jvm",
    .args = "COMMAND",
    .summary = "inspect running Java VMs, without a JDK",
    .text =
        "Works on HotSpot JVMs (OpenJDK and its derivatives, 8 and newer) in this container, in containers that share "
        "its pid namespace, and as root on a node in all containers. Only root can attach to a JVM of another user.",
    .parts = PARTS,
    .run = run,
};
