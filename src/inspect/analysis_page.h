/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. An analysis as one page that needs nothing else: styles and script are in it, and its own policy (a
 * meta element with their digests) forbids everything else, so that it can be mailed, or opened from a folder, without
 * harm.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the page to *ret. -FAULT_CORRUPT: not an analysis that we know; -ENOMEM; -EMSGSIZE. */
int analysis_page(const json_t *analysis, struct buf *ret, struct err *e);
