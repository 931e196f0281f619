/* SPDX-License-Identifier: Apache-2.0
 *
 * What functions an address lies in: by DWARF with what was inlined, else by symbol tables. Remembers each address.
 */
#pragma once

#include <elfutils/libdwfl.h>

#include "core/backtrace.h"

struct frame_names;

int frame_names_new(Dwfl *dwfl, struct frame_names **ret); /* 0, -ENOMEM */
void frame_names_free(struct frame_names *n);

/* The names, the innermost first, of code at an address; a return address is looked up one byte before. Borrowed, until
 * the end. 0, -ENOMEM. */
int frame_names_at(struct frame_names *n, uint64_t address, const struct backtrace_name **ret, size_t *ret_count);
