/* SPDX-License-Identifier: Apache-2.0
 *
 * How full a JVM's heap is just now: the JVM is asked (JDK 9 and newer), for its counters may be old (JDK 25 writes
 * them at a collection only) or not there (-XX:-UsePerfData).
 */
#pragma once

#include "hotspot/attach.h"

/* Bytes in use, garbage counted; 0: not known. Or as attach_ask where the JVM can't be talked to. */
int heapuse_get(const struct jvm *j, const struct attach_wait *wait, uint64_t *ret_bytes, struct err *e);
