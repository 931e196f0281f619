/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests that come in. A manifest is an object as any other, but what claims to be one must be one: catalogue and
 * pages believe it.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* fd: an object that is to be stored under key. 0: it is none, or a good one: its key ends in ".json", and it names the
 * object beside it. -FAULT_FORMAT; -errno. */
int upload_manifest_check(int fd, const char *key, struct err *e);

/* The same of an object in memory. */
int upload_manifest_check_text(const struct buf *text, const char *key, struct err *e);
