/* SPDX-License-Identifier: Apache-2.0
 *
 * A row for each cause. The detail is what the evidence says in its own words; where it only repeats the cause, the
 * sentence stands without it.
 */
#include "ship/why.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "place/origin.h"

struct row {
    const char *cause;
    const char *kind;     /* NULL: of any kind */
    const char *sentence; /* without the full stop */
};

static const struct row ROWS[] = {
    {CAUSE_JAVA_OOM, NULL, "The JVM ran out of memory"},
    {CAUSE_NATIVE_OOM, NULL, "The system gave the JVM no more memory"},
    {"oom-kill", NULL, "The kernel killed a process that was out of memory"},
    {CAUSE_SIGNAL, "hs-err", "The JVM crashed"},
    {CAUSE_SIGNAL, "jvm-end", "The JVM was ended by a signal and left nothing behind"},
    {CAUSE_SIGNAL, NULL, "The process was ended by a signal"},
    {CAUSE_ASSERT, NULL, "The JVM found an error in itself and stopped"},
    {CAUSE_EXCEPTION, NULL, "An exception was thrown that is configured to make a dump"},
    {"exit", NULL, "The JVM ended by itself and left nothing behind"},
    {"pressure", NULL, "A limit was near"},
    {"prestop", NULL, "The pod was stopped, and its evidence was taken before"},
    {CAUSE_USER, NULL, "Requested by a user"},
    {"manual", NULL, "Requested by a user"},
    {0},
};

static const struct {
    const char *kind, *name;
} KINDS[] = {
    {"heap-dump", "Heap dump"},
    {"core", "Core dump"},
    {"hs-err", "Crash log of the JVM"},
    {"javacore", "Javacore"},
    {"flight-recording", "Flight recording"},
    {"heap-snapshot", "Heap snapshot"},
    {"jvm-end", "Last counters of the JVM"},
    {"thread-dump", "Thread dump"},
    {"class-histogram", "Class histogram"},
    {"native-memory", "Native memory"},
    {"guard-case", "Record of a guard's case"},
    {"memory-stats", "Memory statistics"},
    {"oom-kill", "Record of an OOM kill"},
    {"file", "File"},
};

const char *why_kind(const char *kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(KINDS); i++)
        if (text_eq(KINDS[i].kind, kind ? kind : "file"))
            return KINDS[i].name;
    return kind;
}

static const struct row *find(const struct manifest *m)
{
    const struct row *row = ROWS;

    while (row->cause && (!text_eq(row->cause, m->cause ? m->cause : "") ||
                          (row->kind && !text_eq(row->kind, m->kind ? m->kind : ""))))
        row++;
    return row->cause ? row : NULL;
}

/* "java/lang/OutOfMemoryError: Java heap space" is "Java heap space" behind "ran out of memory". */
static const char *short_detail(const struct manifest *m)
{
    const char *detail = m->origin.detail, *colon;

    if (!detail || !text_eq(m->cause, CAUSE_JAVA_OOM))
        return detail;
    if (!strstr(detail, "OutOfMemoryError"))
        return detail;
    colon = strchr(detail, ':');
    return colon && colon[1] == ' ' ? colon + 2 : NULL;
}

/* At most `most` bytes of text, without half a character at its end. */
static int fit(const char *text, size_t most)
{
    size_t at = 0, left = strlen(text);

    while (left > 0) {
        size_t size = text_utf8_length(text + at, left);

        if (size == 0 || at + size > most)
            break;
        at += size;
        left -= size;
    }
    return (int)at;
}

const char *why_sentence(const struct manifest *m, char *out)
{
    const struct row *row;
    const char *detail;
    char printable[WHY_MAX];
    size_t size;

    assert(m && out);
    row = find(m);
    detail = short_detail(m);
    if (detail)
        text_printable(detail, printable, sizeof(printable));
    if (row)
        size = (size_t)snprintf(out, WHY_MAX, "%s%s%.*s", row->sentence, detail && *detail ? ": " : "",
                                detail ? fit(printable, 250) : 0, detail ? printable : "");
    else
        size =
            (size_t)snprintf(out, WHY_MAX, "%s%s%.*s", why_kind(m->kind), detail && *detail ? ": " : ", cause unknown",
                             detail ? fit(printable, 250) : 0, detail ? printable : "");
    if (size > 0 && size < WHY_MAX - 1 && out[size - 1] != '.')
        snprintf(out + size, WHY_MAX - size, ".");
    return out;
}
