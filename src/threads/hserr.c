/* SPDX-License-Identifier: Apache-2.0
 *
 * The first lines are a comment, "#" and two blanks; what of it says the cause ends with pid and tid.
 */
#include "threads/hserr.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static bool begins(const char *line, size_t size, const char *words)
{
    return size >= strlen(words) && memcmp(line, words, strlen(words)) == 0;
}

static void set_cause(struct origin *o, const char *cause)
{
    snprintf(o->cause, sizeof(o->cause), "%s", cause);
}

/* "#  SIGSEGV (0xb) at pc=0x..., pid=7, tid=8", "#  Internal Error (file.cpp:12), pid=7, tid=8" */
static void take_error(const char *line, size_t size, struct origin *o)
{
    const char *end = line + size, *pid = origin_behind(line, size, ", pid="), *at;

    if (!pid || o->pid)
        return;
    o->pid = origin_number(pid, end);
    if (begins(line, size, "Out of Memory Error"))
        set_cause(o, CAUSE_NATIVE_OOM);
    else if (begins(line, size, "Internal Error"))
        set_cause(o, CAUSE_ASSERT);
    else if (begins(line, size, "SIG") || begins(line, size, "EXCEPTION_") || origin_behind(line, size, " at pc="))
        set_cause(o, CAUSE_SIGNAL);
    else if (!*o->cause)
        set_cause(o, CAUSE_UNKNOWN);
    at = memmem(line, size, " at pc=", strlen(" at pc="));
    origin_text(o->detail, sizeof(o->detail), line, (size_t)((at ? at : pid - strlen(", pid=")) - line));
}

/* Below it: what the JVM found wrong; -XX:+CrashOnOutOfMemoryError ends it by such an error. */
static void take_message(const char *line, size_t size, struct origin *o)
{
    static const char *const messages[] = {"fatal error: ", "guarantee(", "assert(", "Error: "};

    if (strcmp(o->cause, CAUSE_ASSERT) != 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        if (!begins(line, size, messages[i]))
            continue;
        origin_text(o->detail, sizeof(o->detail), line, size);
        if (origin_behind(line, size, "OutOfMemory encountered"))
            set_cause(o, CAUSE_JAVA_OOM);
        return;
    }
}

static void take_comment(const char *line, size_t size, struct origin *o)
{
    const char *end = line + size, *value;

    if (begins(line, size, "There is insufficient memory for the Java Runtime Environment"))
        set_cause(o, CAUSE_NATIVE_OOM);
    take_error(line, size, o);
    take_message(line, size, o);
    if ((value = origin_behind(line, size, "JRE version: ")) && !*o->jvm)
        origin_text(o->jvm, sizeof(o->jvm), value, (size_t)(end - value));
    /* JDK 5 and 6 name only the VM. */
    if (begins(line, size, "Java VM: ") && !*o->jvm)
        origin_text(o->jvm, sizeof(o->jvm), line + strlen("Java VM: "), size - strlen("Java VM: "));
}

/* Whether a line begins with words; what stands behind them, up to a stop if that is there, goes to out. */
static bool take_behind(const char *line, size_t size, const char *words, const char *stop, char *out, size_t out_size)
{
    const char *text = line + strlen(words), *end = line + size, *at;

    if (!begins(line, size, words))
        return false;
    at = memmem(text, (size_t)(end - text), stop, strlen(stop));
    if (!*out)
        origin_text(out, out_size, text, (size_t)((*stop && at ? at : end) - text));
    return true;
}

static void take_line(const char *line, size_t size, struct origin *o)
{
    static const char elapsed[] = "elapsed time: ";

    /* With a small letter in JDK 8 and older. */
    if (!take_behind(line, size, "Time: ", elapsed, o->time, sizeof(o->time)))
        take_behind(line, size, "time: ", elapsed, o->time, sizeof(o->time));
    if (!take_behind(line, size, "Command Line: ", "", o->command, sizeof(o->command)))
        take_behind(line, size, "java_command: ", "", o->command, sizeof(o->command));
}

void hserr_origin(const char *text, size_t size, struct origin *ret)
{
    const char *at = text, *end = text + size, *line;
    size_t n;

    while (origin_line(&at, end, &line, &n)) {
        if (n > 0 && *line == '#') {
            do {
                line++;
                n--;
            } while (n > 0 && *line == ' ');
            take_comment(line, n, ret);
        } else {
            take_line(line, n, ret);
        }
    }
}
