/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Go's own table of functions and lines (.gopclntab), which a program keeps for its stack traces even if
 * it is stripped. Of Go 1.16 and newer, 64 bits, little-endian (Go's src/debug/gosym/pclntab.go,
 * src/runtime/symtab.go). Inlined functions have no frames of their own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gopclntab_place {
    const char *function, *file; /* in the table; file: NULL unknown */
    int line;                    /* 0 unknown */
};

/* text: where the section .text begins. Addresses are those of the file. False: nothing is known of pc. */
bool gopclntab_find(const void *table, size_t size, uint64_t text, uint64_t pc, struct gopclntab_place *ret);
