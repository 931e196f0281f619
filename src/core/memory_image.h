/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. An executable put together again of what a core has of it in memory (coredump_filter 0x7f, or a file
 * that is gone): enough for its call frame information. It has no sections, and what the core lacks is zeros.
 */
#pragma once

#include "core/core_read.h"

enum { MEMORY_IMAGE_MAX = 512 << 20 };

/* Bytes of the image of a module whose call frame information is in the core; 0: there is none. */
size_t memory_image_size(const struct core_read *c, const struct core_module *m);

/* Fills it, of that size, zeroed. */
void memory_image_fill(const struct core_read *c, const struct core_module *m, unsigned char *to, size_t size);
