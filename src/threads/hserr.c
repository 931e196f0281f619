/* SPDX-License-Identifier: Apache-2.0
 *
 * The first lines begin with "#" and two blanks; the one with the cause ends with pid and tid.
 */
#include "threads/hserr.h"

#include <stdbool.h>
#include <stddef.h>
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
static void parse_error(const char *line, size_t size, struct origin *o)
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

/* The message below; -XX:+CrashOnOutOfMemoryError ends the JVM with such an error. */
static void parse_message(const char *line, size_t size, struct origin *o)
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

static void parse_comment(const char *line, size_t size, struct origin *o)
{
    const char *end = line + size, *value;

    if (begins(line, size, "There is insufficient memory for the Java Runtime Environment"))
        set_cause(o, CAUSE_NATIVE_OOM);
    parse_error(line, size, o);
    parse_message(line, size, o);
    if ((value = origin_behind(line, size, "JRE version: ")) && !*o->jvm)
        origin_text(o->jvm, sizeof(o->jvm), value, (size_t)(end - value));
    /* JDK 5 and 6 have only the VM's name. */
    if (begins(line, size, "Java VM: ") && !*o->jvm)
        origin_text(o->jvm, sizeof(o->jvm), line + strlen("Java VM: "), size - strlen("Java VM: "));
}

/* Lines without "#": the text after words, up to stop if it occurs. */
static const struct field {
    const char *words, *stop;
    size_t offset, size;
} FIELDS[] = {
    {"Time: ", "elapsed time: ", offsetof(struct origin, time), sizeof(((struct origin *)0)->time)},
    {"time: ", "elapsed time: ", offsetof(struct origin, time), sizeof(((struct origin *)0)->time)}, /* to JDK 8 */
    {"Command Line: ", NULL, offsetof(struct origin, command), sizeof(((struct origin *)0)->command)},
    {"java_command: ", NULL, offsetof(struct origin, command), sizeof(((struct origin *)0)->command)},
};

static void parse_line(const char *line, size_t size, struct origin *o)
{
    for (const struct field *f = FIELDS; f < FIELDS + ARRAY_SIZE(FIELDS); f++) {
        char *out = (char *)o + f->offset;
        const char *text = line + strlen(f->words), *stop;

        if (*out || !begins(line, size, f->words))
            continue;
        size -= strlen(f->words);
        stop = f->stop ? memmem(text, size, f->stop, strlen(f->stop)) : NULL;
        origin_text(out, f->size, text, stop ? (size_t)(stop - text) : size);
        return;
    }
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
            parse_comment(line, n, ret);
        } else {
            parse_line(line, n, ret);
        }
    }
}
