/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts as evidence, and of which kind: one table from file names and contents to kinds. A known content decides;
 * a name only proposes.
 */
#pragma once

#include <stdbool.h>

#include "ship/content.h"

struct kind {
    const char *glob;     /* matches the file's name */
    const char *name;     /* "heap-dump" */
    const char *file;     /* name in the store; NULL: the file's own */
    const char *cause;    /* for a file whose content names none */
    bool follow;          /* read while it is written: such files are large, and written from front to back */
    enum content content; /* of such a file; CONTENT_OTHER: any */
};

/* The first row whose glob matches; the last one matches all. */
const struct kind *kind_of_name(const char *name);

/* By content; by name if the content has no known format. */
const struct kind *kind_of(const char *name, enum content content);

/* The row of a claim that was read back: by kind and glob (NULL unknown), else by file name or kind; the last row if
 * none matches. */
const struct kind *kind_find(const char *kind_name, const char *glob, const char *file_name);

/* The content of an open file by its first bytes; CONTENT_OTHER if it can't be read. */
enum content kind_read_content(int fd);

/* The probable cause of a file, by kind and name alone; a cause in its content (place/origin.h) counts more. */
const char *kind_cause(const struct kind *k, const char *name);

/* Whether evidence usually has such a name. */
bool kind_is_proposed(const char *name);

/* Whether the name alone decides: *.hprof is used for nothing else, and a dump that lacks its beginning is evidence. */
bool kind_name_suffices(const char *name);

/* Whether a file with this content is evidence, whatever its name. */
bool kind_is_evidence(enum content content);

/* "NAME.p12": a part of a dump, which JDK 22 and newer merge into NAME (DumpMerger in heapDumper.cpp). */
bool kind_is_segment(const char *name);
