/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of tasks that the kernel writes before it kills for want of memory. Which columns it has depends on the
 * version (2.6.32 to 6.18); the name, which may have any bytes, is what is behind the last of them.
 */
#pragma once

#include "oom/oomkill.h"

enum { OOMTABLE_COLUMNS_MAX = 16 };

struct oomtable {
    unsigned char is[OOMTABLE_COLUMNS_MAX];
    unsigned count; /* between the pid in brackets and the name; 0: no table */
};

/* "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name": whether it is such a line; ret
 * is untouched if not. */
bool oomtable_header(const char *text, struct oomtable *ret);

/* A line below it; sizes in bytes. */
bool oomtable_row(const char *text, const struct oomtable *t, uint64_t page_size, struct oomkill_process *ret);

/* The table counts pages, the line of the kill has kB: from both, the size of a page of the kernel that wrote (of a log
 * of another machine nothing else says it). row: as read with page_size; total_vm: bytes, of the same process.
 * page_size where they say nothing. */
uint64_t oomtable_page_size(const struct oomkill_process *row, uint64_t page_size, uint64_t total_vm);

/* What was read with pages of from bytes, with those of to bytes. */
void oomtable_rescale(struct oomkill *k, uint64_t from, uint64_t to);
