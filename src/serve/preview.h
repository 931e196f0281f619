/* SPDX-License-Identifier: Apache-2.0
 *
 * The beginning of an object, decompressed: for texts that pages show. Framing only: what looks deeper into foreign
 * bytes is another process's work.
 */
#pragma once

#include <stdbool.h>

#include "serve/serve.h"
#include "ship/manifest.h"

enum { PREVIEW_MAX = 4 * 1024 * 1024 }; /* bytes, decompressed */

struct preview {
    struct buf text; /* any bytes */
    bool cut;        /* there is more */
};

/* most: at most PREVIEW_MAX. Not verified by its digest: only the whole could be. -FAULT_NO_OBJECT, -FAULT_FORMAT, or
 * as the store fails. */
int preview_load(struct serve *s, const struct manifest *m, size_t most, struct preview *ret, struct err *e);
void preview_done(struct preview *p);
