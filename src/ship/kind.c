/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of evidence. Order matters: the first row that fits decides.
 */
#include "ship/kind.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/origin.h"

static const struct kind KINDS[] = {
    {"*.hprof", "heap-dump", "heap.hprof", CAUSE_UNKNOWN, true, CONTENT_HPROF},
    {"*.hprof.gz", "heap-dump", "heap.hprof.gz", CAUSE_UNKNOWN, false, CONTENT_HPROF_GZIP},
    {"*.hprof.zst", "heap-dump", "heap.hprof.zst", CAUSE_UNKNOWN, false, CONTENT_OTHER}, /* its first bytes don't say */
    {"*.phd", "heap-dump", "heap.phd", CAUSE_UNKNOWN, false, CONTENT_PHD},
    {"*.phd.gz", "heap-dump", "heap.phd.gz", CAUSE_UNKNOWN, false, CONTENT_PHD_GZIP},
    {"javacore*.txt", "javacore", "javacore.txt", CAUSE_UNKNOWN, false, CONTENT_JAVACORE},
    {"hs_err_pid*.log", "hs-err", "hs_err.log", CAUSE_UNKNOWN, false, CONTENT_HS_ERR},
    {"core", "core", "core", CAUSE_SIGNAL, false, CONTENT_CORE},
    {"core.*", "core", "core", CAUSE_SIGNAL, false, CONTENT_CORE},
    {"*.dmp", "core", "core.dmp", CAUSE_SIGNAL, false, CONTENT_MINIDUMP},
    {"*.jfr", "flight-recording", "recording.jfr", "manual", false, CONTENT_RECORDING},
    {"*.heapsnapshot", "heap-snapshot", "heap.heapsnapshot", CAUSE_UNKNOWN, false, CONTENT_HEAP_SNAPSHOT},
    {"jvm-end-*.json", "jvm-end", "jvm-end.json", CAUSE_UNKNOWN, false, CONTENT_JVM_END},
    {"near-limit-*-threads.txt", "thread-dump", "threads.txt", "pressure", false, CONTENT_TAKEN_EARLY},
    {"near-limit-*-histogram.txt", "class-histogram", "histogram.txt", "pressure", false, CONTENT_TAKEN_EARLY},
    {"threads*.txt", "thread-dump", NULL, "manual", false, CONTENT_THREAD_DUMP},
    {"native*.txt", "native-memory", NULL, "pressure", false, CONTENT_OTHER},
    {"crash*.json", "crash", "crash.json", CAUSE_SIGNAL, false, CONTENT_CRASH},
    {"guard*.json", "guard-case", NULL, "pressure", false, CONTENT_OTHER},
    {"stats*.json", "memory-stats", NULL, "pressure", false, CONTENT_OTHER},
    {"oom-kill*.json", "oom-kill", NULL, "oom-kill", false, CONTENT_OTHER},
    {"histogram*.txt", "class-histogram", NULL, "manual", false, CONTENT_OTHER},
    {"*", "file", NULL, "manual", false, CONTENT_OTHER},
};

const struct kind *kind_of_name(const char *name)
{
    const struct kind *k = KINDS;

    while (fnmatch(k->glob, name, 0) != 0 && k < KINDS + ARRAY_SIZE(KINDS) - 1)
        k++;
    return k;
}

const struct kind *kind_of(const char *name, enum content content)
{
    const struct kind *by_name = kind_of_name(name);

    if (content == CONTENT_RECORDING_BEGUN)
        content = CONTENT_RECORDING;
    if (content == CONTENT_OTHER || by_name->content == content ||
        (content == CONTENT_CORE && by_name->content == CONTENT_MINIDUMP)) /* OpenJ9 names its cores *.dmp */
        return by_name;
    for (const struct kind *k = KINDS; k < KINDS + ARRAY_SIZE(KINDS); k++)
        if (k->content == content)
            return k;
    return by_name;
}

const struct kind *kind_find(const char *kind_name, const char *glob, const char *file_name)
{
    const struct kind *by_name = kind_of_name(file_name);

    for (const struct kind *k = KINDS; glob && k < KINDS + ARRAY_SIZE(KINDS); k++)
        if (text_eq(k->name, kind_name) && text_eq(k->glob, glob))
            return k;
    if (text_eq(by_name->name, kind_name))
        return by_name;
    for (const struct kind *k = KINDS; k < KINDS + ARRAY_SIZE(KINDS); k++)
        if (text_eq(k->name, kind_name))
            return k;
    return &KINDS[ARRAY_SIZE(KINDS) - 1];
}

enum content kind_read_content(int fd)
{
    unsigned char head[CONTENT_HEAD_MAX];
    ssize_t n = file_pread(fd, head, sizeof(head), 0);

    return n > 0 ? content_of(head, (size_t)n) : CONTENT_OTHER;
}

const char *kind_cause(const struct kind *k, const char *name)
{
    /* HotSpot's default name for the dump at an OutOfMemoryError. */
    return text_eq(k->name, "heap-dump") && fnmatch("java_pid*.hprof*", name, 0) == 0 ? CAUSE_JAVA_OOM : k->cause;
}

bool kind_is_proposed(const char *name)
{
    return kind_is_evidence(kind_of_name(name)->content);
}

bool kind_name_suffices(const char *name)
{
    enum content content = kind_of_name(name)->content;

    return content == CONTENT_HPROF || content == CONTENT_HPROF_GZIP;
}

bool kind_is_evidence(enum content content)
{
    /* A file with a thread dump may be a user's, who reads it there. A recording is a JVM's, which still writes it, as
     * long as its first chunk is unfinished. */
    return content != CONTENT_OTHER && content != CONTENT_THREAD_DUMP && content != CONTENT_RECORDING_BEGUN;
}

bool kind_is_segment(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (!dot || dot == name || dot[1] != 'p' || !dot[2])
        return false;
    for (const char *p = dot + 2; *p; p++)
        if (!isdigit((unsigned char)*p))
            return false;
    return true;
}
