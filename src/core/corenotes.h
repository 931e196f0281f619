/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What an ELF core's notes say: the signal, the process and the beginning of its command line. Foreign
 * bytes: pure. Format: the kernel's fs/binfmt_elf.c (NT_PRSTATUS of the thread that died comes first),
 * include/uapi/linux/elf.h.
 */
#pragma once

#include "place/origin.h"

/* Where the notes lie, by the core's beginning; 0 or -ENOENT: they are not named there. */
int corenotes_find(const void *head, size_t size, uint64_t *ret_at, uint64_t *ret_size);

/* head: as above, for word size and byte order; notes: their beginning. Where notes name no signal, or one that never
 * makes a core, the core was made by a debugger: CAUSE_USER. */
void corenotes_origin(const void *head, size_t head_size, const void *notes, size_t size, struct origin *ret);
