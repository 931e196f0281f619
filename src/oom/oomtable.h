/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of tasks that the kernel logs before an OOM kill. Its columns depend on the version (2.6.32 to 6.18);
 * the name, which may have any bytes, follows the last of them.
 */
#pragma once

#include "oom/oomkill.h"

enum { OOMTABLE_COLUMNS_MAX = 16 };

struct oomtable {
    unsigned char is[OOMTABLE_COLUMNS_MAX];
    unsigned count; /* between the pid in brackets and the name; 0: no table */
};

/* "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name". False, and ret untouched, if
 * the text is no such line. */
bool oomtable_header(const char *text, struct oomtable *ret);

/* A row of the table; sizes in bytes. */
bool oomtable_row(const char *text, const struct oomtable *t, uint64_t page_size, struct oomkill_process *ret);

/* The page size of the kernel that wrote the log, which a log of another machine does not name: the table counts
 * pages, the line of the kill has kB. row: as read with page_size; total_vm: bytes, of the same process. Returns
 * page_size if they do not show it. */
uint64_t oomtable_page_size(const struct oomkill_process *row, uint64_t page_size, uint64_t total_vm);

/* Converts what was read with a page size of from bytes to one of to bytes. */
void oomtable_rescale(struct oomkill *k, uint64_t from, uint64_t to);
