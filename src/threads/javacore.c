/* SPDX-License-Identifier: Apache-2.0
 *
 * A line of a javacore begins with a tag and a blank. Events: OpenJ9's dmpsup.c; IBM's older JVMs write a sentence with
 * the signal's name instead.
 */
#include "threads/javacore.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const char OOM[] = "java/lang/OutOfMemoryError";

/* Events and the causes that they stand for. */
static const struct {
    const char *event, *cause;
} EVENTS[] = {
    {"user", CAUSE_USER},          {"user2", CAUSE_USER},          {"gpf", CAUSE_SIGNAL},
    {"abort", CAUSE_SIGNAL},       {"assert", CAUSE_ASSERT},       {"traceassert", CAUSE_ASSERT},
    {"systhrow", CAUSE_EXCEPTION}, {"throw", CAUSE_EXCEPTION},     {"catch", CAUSE_EXCEPTION},
    {"uncaught", CAUSE_EXCEPTION}, {"corruptcache", CAUSE_ASSERT},
};

/* The text in the next pair of quotes; *at moves past it. False if there is none. */
static bool quoted(const char **at, const char *end, const char **ret, size_t *ret_size)
{
    const char *open = memchr(*at, '"', (size_t)(end - *at)), *close;

    if (!open || !(close = memchr(open + 1, '"', (size_t)(end - open - 1))))
        return false;
    *ret = open + 1;
    *ret_size = (size_t)(close - *ret);
    *at = close + 1;
    return true;
}

/* An event that is not in EVENTS is a cause under its own name. */
static void parse_event(const char *event, size_t size, struct origin *o)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(EVENTS); i++) {
        if (strlen(EVENTS[i].event) == size && memcmp(EVENTS[i].event, event, size) == 0) {
            snprintf(o->cause, sizeof(o->cause), "%s", EVENTS[i].cause);
            return;
        }
    }
    for (size_t i = 0; i < size && n < sizeof(o->cause) - 1; i++)
        if (isalnum((unsigned char)event[i]))
            o->cause[n++] = (char)tolower((unsigned char)event[i]);
    o->cause[n] = '\0';
}

/* Dump Event "systhrow" (00040000) Detail "java/lang/OutOfMemoryError" "Java heap space" received */
static void parse_dump_event(const char *at, const char *end, struct origin *o)
{
    const char *part, *detail;
    char text[2][ORIGIN_TEXT_MAX / 2 - 1] = {"", ""}; /* with ": " between them, they fit into detail */
    size_t size;

    if (!quoted(&at, end, &part, &size))
        return;
    parse_event(part, size, o);
    detail = origin_behind(at, (size_t)(end - at), "Detail ");
    for (size_t i = 0; detail && i < 2 && quoted(&detail, end, &part, &size); i++)
        origin_text(text[i], sizeof(text[i]), part, size);
    if (strcmp(text[0], OOM) == 0)
        snprintf(o->cause, sizeof(o->cause), CAUSE_JAVA_OOM);
    snprintf(o->detail, sizeof(o->detail), "%s%s%s", text[0], *text[1] ? ": " : "", text[1]);
}

static void parse_signal_info(const char *line, size_t size, struct origin *o)
{
    const char *end = line + size, *at = origin_behind(line, size, "Dump Event ");
    const char *cause = NULL;

    if (at) {
        parse_dump_event(at, end, o);
        return;
    }
    if (origin_behind(line, size, "OUTOFMEMORY") || origin_behind(line, size, "OutOfMemory"))
        cause = CAUSE_JAVA_OOM;
    else if (origin_behind(line, size, "Requested By User") || origin_behind(line, size, "SIGQUIT") ||
             origin_behind(line, size, "SIGBREAK"))
        cause = CAUSE_USER;
    else if (origin_behind(line, size, "SIGNONE") || origin_behind(line, size, "signal 0"))
        cause = CAUSE_UNKNOWN; /* made by a call in the program */
    else if (origin_behind(line, size, "SIG") || origin_behind(line, size, "EXCEPTION_"))
        cause = CAUSE_SIGNAL;
    if (cause)
        snprintf(o->cause, sizeof(o->cause), "%s", cause);
    origin_text(o->detail, sizeof(o->detail), line, size);
}

static void parse_line(const char *line, size_t size, struct origin *o)
{
    static const struct {
        const char *tag, *words; /* words: words before the value; "": none */
        size_t at, room;
    } texts[] = {
        {"1TIDATETIME ", "Date:", offsetof(struct origin, time), sizeof(o->time)},
        {"1TIFILENAME ", "filename:", offsetof(struct origin, file), sizeof(o->file)},
        {"1CIJAVAVERSION ", "", offsetof(struct origin, jvm), sizeof(o->jvm)},
        {"1CICMDLINE ", "", offsetof(struct origin, command), sizeof(o->command)},
    };
    static const char signal[] = "1TISIGINFO ", process[] = "1CIPROCESSID ";
    const char *value;

    if (size > sizeof(signal) && memcmp(line, signal, sizeof(signal) - 1) == 0)
        parse_signal_info(line + sizeof(signal) - 1, size - (sizeof(signal) - 1), o);
    if (size > sizeof(process) && memcmp(line, process, sizeof(process) - 1) == 0 &&
        (value = origin_behind(line, size, "Process ID: ")))
        o->pid = origin_number(value, line + size);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        size_t n = strlen(texts[i].tag);

        if (size > n && memcmp(line, texts[i].tag, n) == 0 &&
            (value = origin_behind(line + n, size - n, texts[i].words)))
            origin_text((char *)o + texts[i].at, texts[i].room, value, (size_t)(line + size - value));
    }
}

/* Older javacores have the pid only in their file name: javacore.DATE.TIME.PID.NUMBER.txt. */
static uint64_t pid_in_name(const char *file)
{
    const char *at = strstr(file, "javacore."), *end = file + strlen(file);
    uint64_t numbers[4];

    at = at ? at + strlen("javacore.") : end;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        size_t digits = strspn(at, "0123456789");

        if (digits == 0 || at[digits] != '.')
            return 0;
        numbers[i] = origin_number(at, end);
        at += digits + 1;
    }
    return strcmp(at, "txt") == 0 ? numbers[2] : 0;
}

void javacore_origin(const char *text, size_t size, struct origin *ret)
{
    const char *at = text, *end = text + size, *line;
    size_t n;

    while (origin_line(&at, end, &line, &n))
        parse_line(line, n, ret);
    if (!ret->pid)
        ret->pid = pid_in_name(ret->file);
}
