/* SPDX-License-Identifier: Apache-2.0
 *
 * One object from the store, verified against its manifest on the way, and decompressed. A file appears under its name
 * only when all of it has been verified, and is readable by its owner alone. Progress goes to stderr.
 */
#pragma once

#include <stdbool.h>

#include "ship/manifest.h"
#include "store/sink.h"

/* All borrowed. */
struct download {
    struct sink *sink;
    const char *key;
    const struct manifest *manifest;
    bool raw;       /* as it is stored, compressed */
    bool overwrite; /* replace a file that has this path */
};

/* -FAULT_CORRUPT if object or file are not what the manifest says; -FAULT_EXISTS; -FAULT_FORMAT for an unknown codec.
 */
int download_to_file(const struct download *d, const char *path, struct err *e);

/* The same to stdout: what was written is only verified once this has returned 0. */
int download_to_stdout(const struct download *d, struct err *e);
