/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The second pass over a dump: types, lengths of arrays, references.
 */
#pragma once

#include "hprof/heap.h"

/* Sets h->graph; wants what heap_collect and heap_resolve_types have set. 0, -ENOMEM, -ENOSPC or another -errno of a
 * temporary file. */
int heap_link(struct heap *h);
