/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A core in words: places as "server+0x1161", and one sentence.
 */
#pragma once

#include "base/summary.h"
#include "core/core_read.h"

enum { CORE_PLACE_MAX = 288 };

/* "libc.so.6+0x2724a": the module's file name, and the address in that file, as addr2line wants it; "0x7f…" outside of
 * all. into out[CORE_PLACE_MAX]; returns out. Foreign text. */
const char *core_place(const struct core_read *c, uint64_t address, char *out);

/* "SIGSEGV: address not mapped: 0x10". out[size]. Returns out. */
const char *core_cause(const struct core_read *c, char *out, size_t size);

/* The file name of the program, or the process's name. */
const char *core_program_name(const struct core_read *c);

/* Whether the program is a JVM. */
bool core_is_jvm(const struct core_read *c);

/* "SIGSEGV: address not mapped: 0x10 in server: server+0x1161 < server+0x1190 < libc.so.6+0x2724a; 5 threads". data:
 * the beginning of a core is enough, up to the end of its notes. As core_read. */
int core_summary(const void *data, size_t size, struct summary *ret);
void core_summary_of(const struct core_read *c, struct summary *ret);
