/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts as evidence, and what sort it is: one table from file names and contents to kinds. The content decides
 * where it is known; a name only proposes.
 */
#pragma once

#include <stdbool.h>

#include "ship/content.h"

struct kind {
    const char *glob;     /* of the file's own name */
    const char *name;     /* "heap-dump" */
    const char *file;     /* the canonical name in the store; NULL: the file's own */
    const char *cause;    /* of a file whose content has none */
    bool follow;          /* worth reading while it is still being written: large, and from front to back */
    enum content content; /* of such a file; CONTENT_OTHER: anything */
};

/* The first row that fits, the last one fits all. */
const struct kind *kind_of_name(const char *name);

/* By content, and by name where the content is of no known format. */
const struct kind *kind_of(const char *name, enum content content);

/* By kind name, for what was written down; the last row for unknown ones. glob: the row's own, NULL where unknown. */
const struct kind *kind_find(const char *kind_name, const char *glob, const char *file_name);

/* What the file that is open as fd is by its first bytes; CONTENT_OTHER where it cannot be read. */
enum content kind_read_content(int fd);

/* Why a file was probably made, by kind and name alone: what its content says (place/origin.h) counts more. */
const char *kind_cause(const struct kind *k, const char *name);

/* Whether a name is one that evidence usually has. */
bool kind_is_proposed(const char *name);

/* Whether the name alone is enough: nothing else is called *.hprof, and a dump without its beginning is evidence. */
bool kind_name_suffices(const char *name);

/* Whether a file with this content is evidence, whatever its name. */
bool kind_is_evidence(enum content content);

/* "NAME.p12": a piece of a dump that JDK 22 and newer will merge into NAME (DumpMerger in heapDumper.cpp). */
bool kind_is_segment(const char *name);
