/* SPDX-License-Identifier: Apache-2.0
 *
 * How much of a JVM's heap is in use now. Asks the JVM (JDK 9 and newer), because its counters may be old (JDK 25
 * updates them at a collection only) or missing (-XX:-UsePerfData).
 */
#pragma once

#include "hotspot/attach.h"

/* Bytes in use, with garbage; 0: unknown. Returns 0, or an error as of attach_ask if the JVM does not answer. */
int heapuse_get(const struct jvm *j, const struct attach_wait *wait, uint64_t *ret_bytes, struct err *e);
