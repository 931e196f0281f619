/* SPDX-License-Identifier: Apache-2.0
 *
 * A row for each cause, and what the messages of an OutOfMemoryError and the names of signals mean. The detail is what
 * the evidence says in its own words; where it only repeats the cause, the sentence stands without it.
 */
#include "ship/why.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/origin.h"

enum { RECORD_MAX = 1024 * 1024, SUBJECT_MAX = 80, DETAIL_MAX = 200, EXIT_OF_SIGNAL = 128 };

#define KIND_OF NULL /* the sentence begins with the kind of the evidence */

/* "The JVM in SUBJECT AFTER: DETAIL." */
struct row {
    const char *cause;
    const char *kind;           /* NULL: of any kind */
    const char *with, *without; /* what stands before the subject, and in its place if it is not known */
    const char *after;
    const char *before_detail; /* NULL: the detail says nothing more */
};

#define JVM "The JVM in ", "The JVM"

static const struct row ROWS[] = {
    {CAUSE_JAVA_OOM, NULL, JVM, "", NULL},
    {CAUSE_NATIVE_OOM, NULL, JVM, " ended: the system gave it no more memory", NULL},
    {"oom-kill", NULL, "The kernel killed a process of ", "The kernel killed a process", ": out of memory", "; "},
    {CAUSE_SIGNAL, "hs-err", JVM, " crashed", ": "},
    {CAUSE_SIGNAL, "jvm-end", JVM, " was ended by a signal and left nothing behind", ": "},
    {CAUSE_SIGNAL, NULL, "A process of ", "A process", " was ended by a signal", ": "},
    {CAUSE_ASSERT, NULL, JVM, " found an error in itself and stopped", ": "},
    {CAUSE_EXCEPTION, NULL, JVM, " left a dump for an exception, as configured", ": "},
    {"exit", NULL, JVM, " ended by itself and left nothing behind", ": "},
    {"pressure", "oom-kill", "The kernel killed a process of ", "The kernel killed a process", ": out of memory", "; "},
    {"pressure", NULL, "", "A process", " came close to a limit: evidence was taken before it was reached", "; "},
    {"prestop", NULL, "", "A pod", " was about to be stopped: evidence was taken before", "; "},
    {CAUSE_USER, NULL, KIND_OF, KIND_OF, ", requested by a user", ": "},
    {"manual", NULL, KIND_OF, KIND_OF, ", taken by hand", ": "},
    {CAUSE_UNKNOWN, "jvm-end", JVM, " ended and left nothing behind", ": "},
    {CAUSE_UNKNOWN, NULL, KIND_OF, KIND_OF, ", cause unknown", ": "},
};

/* A cause that is not known here. */
static const struct row OTHER = {NULL, NULL, KIND_OF, KIND_OF, "", ": "};

struct words {
    const char *part; /* of a detail */
    const char *text;
};

/* Messages of HotSpot's and OpenJ9's OutOfMemoryErrors. */
static const struct words OUT_OF_MEMORY[] = {
    {"GC overhead limit", " spent nearly all its time collecting garbage and got no heap free"},
    {"Java heap space", " ran out of Java heap"},
    {"Requested array size", " asked for an array that is larger than a JVM allows"},
    {"Metaspace", " ran out of metaspace: it loaded more classes than the limit has room for"},
    {"Compressed class space", " ran out of compressed class space: it loaded more classes than that has room for"},
    {"PermGen", " ran out of permanent generation: it loaded more classes than that has room for"},
    {"irect buffer memory", " ran out of direct buffer memory"},
    {"native thread", " could not start another thread: the limit of threads, or memory for their stacks, was used up"},
    {"reate thread", " could not start another thread: the limit of threads, or memory for their stacks, was used up"},
    {"swap space", " got no more memory from the system"},
    {"map failed", " could not map a file: its address space, or the limit of mappings, was used up"},
    {NULL, " ran out of memory"},
};

static const struct words SIGNALS[] = {
    {"SIGSEGV", "an invalid memory access"},
    {"SIGBUS", "memory that could not be provided: often a file that was truncated, or a full disk"},
    {"SIGABRT", "it aborted itself"},
    {"SIGFPE", "an arithmetic error"},
    {"SIGILL", "an illegal instruction"},
    {"SIGSYS", "a system call that is forbidden to it"},
    {"SIGTRAP", "a breakpoint, or a check that failed"},
    {"SIGKILL", "killed from outside"},
    {"SIGTERM", "asked to end"},
    {"SIGQUIT", "asked for a core"},
    {NULL, NULL},
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
    {"crash", "Record of a crash"},
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

/* The first whose part is in the detail; the last row has none. */
static const char *find_words(const struct words *row, const char *detail)
{
    while (row->part && !strstr(detail, row->part))
        row++;
    return row->text;
}

static const struct row *find_row(const struct manifest *m)
{
    const char *cause = m->cause && *m->cause ? m->cause : CAUSE_UNKNOWN;

    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
        if (text_eq(ROWS[i].cause, cause) && (!ROWS[i].kind || text_eq(ROWS[i].kind, m->kind)))
            return &ROWS[i];
    return &OTHER;
}

/* Container, else pod, else place; "" if none is known. */
static void find_subject(const struct manifest *m, char out[SUBJECT_MAX])
{
    const char *const names[] = {m->where.container, m->where.pod, m->where.place};
    size_t i = 0;

    while (i < ARRAY_SIZE(names) - 1 && !(names[i] && *names[i]))
        i++;
    text_printable(names[i] ? names[i] : "", out, SUBJECT_MAX);
}

static void add(char *out, const char *text)
{
    size_t used = strlen(out);

    snprintf(out + used, WHY_MAX - used, "%s", text);
}

static void add_head(const struct manifest *m, const struct row *row, const char *subject, char *out)
{
    char kind[SUBJECT_MAX];

    if (row->with != KIND_OF) {
        add(out, *subject ? row->with : row->without);
    } else {
        add(out, text_printable(why_kind(m->kind), kind, sizeof(kind)));
        add(out, *subject ? " of " : "");
    }
    add(out, subject);
}

static void add_detail(const struct manifest *m, const struct row *row, char *out)
{
    char detail[DETAIL_MAX];
    const char *meaning;

    text_printable(m->origin.detail ? m->origin.detail : "", detail, sizeof(detail));
    if (text_eq(row->cause, CAUSE_JAVA_OOM)) {
        add(out, find_words(OUT_OF_MEMORY, detail));
        return;
    }
    if (!*detail || !row->before_detail)
        return;
    add(out, row->before_detail);
    add(out, detail);
    if (text_eq(row->cause, CAUSE_SIGNAL) && (meaning = find_words(SIGNALS, detail))) {
        add(out, ", ");
        add(out, meaning);
    }
}

static void end_sentence(char *out)
{
    size_t size = strlen(out);

    if (size > 0 && out[size - 1] != '.')
        add(out, ".");
}

const char *why_sentence(const struct manifest *m, char *out)
{
    const struct row *row;
    char subject[SUBJECT_MAX], cause[SUBJECT_MAX];

    assert(m && out);
    row = find_row(m);
    find_subject(m, subject);
    *out = '\0';
    add_head(m, row, subject, out);
    add(out, row->after);
    if (row == &OTHER) {
        add(out, ", cause: ");
        add(out, text_printable(m->cause, cause, sizeof(cause)));
    }
    add_detail(m, row, out);
    end_sentence(out);
    return out;
}

/* "SIGSEGV (11)", as notes of cores have it. */
static unsigned find_signal(const char *detail)
{
    const char *at = text_starts(detail, "SIG") ? strstr(detail, " (") : NULL;
    unsigned number = 0;

    for (at = at ? at + 2 : ""; *at >= '0' && *at <= '9' && number < 100; at++)
        number = number * 10 + (unsigned)(*at - '0');
    return *at == ')' && number <= 64 ? number : 0;
}

unsigned why_exit_code(const struct manifest *m)
{
    unsigned signal;

    assert(m);
    if (text_eq(m->kind, "oom-kill"))
        return EXIT_OF_SIGNAL + SIGKILL;
    if (text_eq(m->kind, "hs-err")) /* the JVM writes it, and then aborts itself */
        return EXIT_OF_SIGNAL + SIGABRT;
    signal = text_eq(m->cause, CAUSE_SIGNAL) && m->origin.detail ? find_signal(m->origin.detail) : 0;
    return signal > 0 ? EXIT_OF_SIGNAL + signal : 0;
}

/* ": the container reached its memory limit of 512.0 MiB" */
static void add_limit(const struct why_kill *k, char *out)
{
    static const struct words limits[] = {{"parent-limit", ": a cgroup above its container reached its memory limit"},
                                          {"limit", ": the container reached its memory limit"},
                                          {"machine", ": the machine ran out of its memory"},
                                          {"cpuset", ": the NUMA nodes that it may use were full"},
                                          {"memory-policy", ": the NUMA nodes that it may use were full"},
                                          {NULL, ": out of memory"}};
    uint64_t size = text_eq(k->what, "machine") ? k->ram : k->limit;
    char text[TEXT_SIZE_MAX];

    add(out, find_words(limits, k->what));
    if (size > 0 && *k->what) {
        add(out, " of ");
        add(out, text_format_size(size, text));
    }
    if (k->rss > 0) {
        add(out, "; the process held ");
        add(out, text_format_size(k->rss, text));
    }
}

const char *why_sentence_of_kill(const struct manifest *m, const struct why_kill *kill, char *out)
{
    char subject[SUBJECT_MAX];

    assert(m && out);
    if (!kill || !kill->known)
        return why_sentence(m, out);
    find_subject(m, subject);
    snprintf(out, WHY_MAX, "The kernel killed %s", *kill->process ? kill->process : "a process");
    add(out, *subject ? " in " : "");
    add(out, subject);
    add_limit(kill, out);
    end_sentence(out);
    return out;
}

static void take_text(const json_t *object, const char *name, char *ret, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text)
        text_printable(text, ret, size);
}

static uint64_t take_number(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));

    return value > 0 ? (uint64_t)value : 0;
}

void why_read_kill(const char *json, size_t size, struct why_kill *ret)
{
    json_auto_t *root = json_read_object(json, size, RECORD_MAX);
    const json_t *process = json_object_get(root, "process");
    struct why_kill k = {.known = true};
    const char *schema = json_string_value(json_object_get(root, "schema"));

    if (!schema || !text_eq(schema, "salvage.oom-kill/1"))
        return;
    take_text(root, "why", k.what, sizeof(k.what));
    take_text(process, "name", k.process, sizeof(k.process));
    k.rss = take_number(process, "rss");
    k.limit = take_number(json_object_get(root, "memory"), "limit");
    k.ram = take_number(json_object_get(root, "machine"), "ram");
    *ret = k;
}

int why_kill_summary(const void *json, size_t size, struct summary *ret)
{
    const struct manifest unknown = {0};
    struct why_kill kill = {0};
    char sentence[WHY_MAX];
    size_t length;

    assert(json && ret);
    why_read_kill(json, size, &kill);
    if (!kill.known)
        return -EBADMSG;
    why_sentence_of_kill(&unknown, &kill, sentence);
    length = strlen(sentence);
    if (length > 0 && sentence[length - 1] == '.')
        sentence[length - 1] = '\0';
    text_printable(sentence, ret->sentence, sizeof(ret->sentence));
    return 0;
}
