/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What grew between two heaps, as one page that needs nothing else (inspect/analysis_frame.h).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "inspect/comparison.h"

/* Appends the page to *ret. 0, -ENOMEM, -EMSGSIZE. */
int comparison_page(const struct comparison *c, struct buf *ret, struct err *e);
