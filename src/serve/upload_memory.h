/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory that parts of uploads to a store elsewhere may take: an upload claims all it can need before its first
 * byte, so that those under way never wait for each other. Thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { UPLOAD_PARTS_IN_FLIGHT = 2 }; /* of one upload, besides the part that is being filled */

struct upload_memory;

struct upload_memory *upload_memory_new(uint64_t bytes); /* NULL without memory */
void upload_memory_free(struct upload_memory *m);

/* 0; -FAULT_BUSY when the bytes were not free within wait_ms; -ENOMEM. More than all there is counts as all there is. A
 * tenant (a namespace) that has some already gets no more than half of all: slow uploads of one keep no other's out. */
int upload_memory_claim(struct upload_memory *m, const char *tenant, uint64_t bytes, uint64_t wait_ms);
void upload_memory_release(struct upload_memory *m, const char *tenant, uint64_t bytes);
