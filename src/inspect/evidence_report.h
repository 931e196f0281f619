/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Evidence that is read at once: crash logs, class histograms, records of OOM kills and of JVMs' ends,
 * heap snapshots, manifests; as text and as JSON (schema "salvage.evidence/1"; two histograms:
 * "salvage.histograms/1").
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct evidence_view {
    const char *name; /* of the file */
    unsigned top;     /* classes, frames and processes in the text */
    bool bold;        /* a terminal */
};

/* Zeroed by the caller. The text is for a terminal. */
struct evidence_report {
    json_t *json;
    struct buf text;
};

/* The kind by the content ("hs-err", as ship/kind.h names it; "manifest"); NULL: none of these. */
const char *evidence_report_kind(const void *data, size_t size);

/* kind: what evidence_report_kind said. 0; -FAULT_FORMAT: it is damaged; -ENOMEM. To be released on failure, too. */
int evidence_report_make(const char *kind, const void *data, size_t size, const struct evidence_view *view,
                         struct evidence_report *ret, struct err *e);

/* Two class histograms: what grew from the first to the second. */
int evidence_report_compare(const void *const data[2], const size_t size[2], const struct evidence_view view[2],
                            struct evidence_report *ret, struct err *e);

void evidence_report_done(struct evidence_report *r);
