/* SPDX-License-Identifier: Apache-2.0
 *
 * Files whose content is no evidence: logged once for each folder and kind of name, up to a maximum, so that neither a
 * folder of logs nor a hostile tenant fills the log.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { IGNORED_MAX = 256 };

struct ignored {
    uint64_t seen[IGNORED_MAX]; /* hashes of folder and kind of name */
    size_t count;
    uint64_t files; /* in all */
};

void ignored_add(struct ignored *i, const char *folder, const char *name);

/* The kind of a name as a glob: "core.*" for "core.js", "*.log" for "app.log", "*.N" for "app.log.3", "*" for "data".
 * In out[size], which is returned. */
const char *ignored_glob(const char *name, char *out, size_t size);
