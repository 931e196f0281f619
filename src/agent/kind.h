/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts as evidence, and what sort it is: one table from file names to kinds. Knows names only, no contents.
 */
#pragma once

#include <stdbool.h>

struct kind {
    const char *glob;  /* of the file's own name */
    const char *name;  /* "heap-dump" */
    const char *file;  /* the canonical name in the store; NULL: the file's own */
    const char *cause; /* what a file of this kind that just appears was most likely made by */
    bool follow;       /* worth reading while it is still being written: large, and from front to back */
};

/* What is evidence unless the user says otherwise: globs, separated by spaces. */
#define KIND_INCLUDE_GLOBS                                                                                             \
    "*.hprof *.hprof.gz *.phd *.dmp core core.* hs_err_pid*.log javacore*.txt *.jfr *.heapsnapshot"

/* The first row that fits, the last one fits all. */
const struct kind *kind_of_name(const char *name);

/* By kind name, for what was written down; the last row for unknown ones. */
const struct kind *kind_find(const char *kind_name, const char *file_name);

/* "NAME.p12": a piece of a dump that JDK 22 and newer will merge into NAME (DumpMerger in heapDumper.cpp). */
bool kind_is_segment(const char *name);
