/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of evidence. Order matters: the first glob that fits decides.
 */
#include "agent/kind.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const struct kind KINDS[] = {
    {"*.hprof", "heap-dump", "heap.hprof", "java-oom", true},
    {"*.hprof.gz", "heap-dump", "heap.hprof.gz", "java-oom", false},
    {"*.phd", "heap-dump", "heap.phd", "java-oom", false},
    {"javacore*.txt", "javacore", "javacore.txt", "java-oom", false},
    {"hs_err_pid*.log", "hs-err", "hs_err.log", "signal", false},
    {"core", "core", "core", "signal", false},
    {"core.*", "core", "core", "signal", false},
    {"*.dmp", "core", "core.dmp", "signal", false},
    {"*.jfr", "flight-recording", "recording.jfr", "manual", false},
    {"*.heapsnapshot", "heap-snapshot", "heap.heapsnapshot", "heap-limit", false},
    {"threads*.txt", "thread-dump", NULL, "manual", false},
    {"native*.txt", "native-memory", NULL, "pressure", false},
    {"guard*.json", "guard-case", NULL, "pressure", false},
    {"stats*.json", "memory-stats", NULL, "pressure", false},
    {"oom-kill*.json", "oom-kill", NULL, "oom-kill", false},
    {"histogram*.txt", "class-histogram", NULL, "manual", false},
    {"*", "file", NULL, "manual", false},
};

const struct kind *kind_of_name(const char *name)
{
    const struct kind *k = KINDS;

    while (fnmatch(k->glob, name, 0) != 0 && k < KINDS + ARRAY_SIZE(KINDS) - 1)
        k++;
    return k;
}

const struct kind *kind_find(const char *kind_name, const char *file_name)
{
    const struct kind *by_name = kind_of_name(file_name);

    if (text_eq(by_name->name, kind_name))
        return by_name;
    for (const struct kind *k = KINDS; k < KINDS + ARRAY_SIZE(KINDS); k++)
        if (text_eq(k->name, kind_name))
            return k;
    return &KINDS[ARRAY_SIZE(KINDS) - 1];
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
