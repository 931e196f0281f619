/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The origin of an ELF core by its notes: the signal, the process and the beginning of its command line.
 * Format: the kernel's fs/binfmt_elf.c (NT_PRSTATUS of the thread that died comes first), include/uapi/linux/elf.h.
 */
#pragma once

#include "place/origin.h"

/* Finds offset and size of the notes in the program headers, of which head has the beginning. 0, or -ENOENT if it names
 * none. */
int corenotes_find(const void *head, size_t size, uint64_t *ret_at, uint64_t *ret_size);

/* head: as above, for word size and byte order; notes: the beginning of the notes. No signal, or one that never makes a
 * core, means that a debugger made the core: CAUSE_USER. */
void corenotes_origin(const void *head, size_t head_size, const void *notes, size_t size, struct origin *ret);
