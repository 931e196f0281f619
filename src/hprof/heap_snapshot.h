/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Heap snapshots of V8 (Node.js, Chromium) as a histogram: heap-snapshot-generator.cc writes one object
 * with node_fields, node_types, an array of numbers for all nodes, one for all edges, and the strings last.
 */
#pragma once

#include <stddef.h>

#include "base/summary.h"

/* "12.3 MiB in 48124 nodes; most: Order 1.2 MiB (3000)" and the constructors with most bytes; what has none stands
 * under its type: "(array)", "(string)". Sizes are shallow. 0; -EBADMSG: it is none; -ENOMEM.
 */
int heap_snapshot_summary(const void *data, size_t size, struct summary *ret);
