/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame of a page that needs nothing else: styles and script are in it, and its own policy (a meta element with
 * their digests) forbids everything else, so that it can be mailed, or opened from a folder, without harm.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/html.h"

/* Up to the beginning of the page's main element; "title · salvage" is its name. h: zeroed. */
void analysis_frame_begin(struct html *h, const char *title);

/* From the main element's end on. Appends the page to *ret: 0, -ENOMEM, -EMSGSIZE. */
int analysis_frame_end(struct html *h, struct buf *ret, struct err *e);
