/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns by their names in the header; those that are not known are passed over.
 */
#include "oom/oomtable.h"

#include <string.h>

#include "base/mem.h"
#include "base/scan.h"

enum column { OTHER, UID, TOTAL_VM, RSS, RSS_ANON, RSS_FILE, RSS_SHMEM, PGTABLES, SWAP, SCORE };

bool oomtable_header(const char *text, struct oomtable *ret)
{
    static const struct {
        const char *name;
        enum column column;
    } known[] = {{"uid", UID},           {"total_vm", TOTAL_VM},   {"rss", RSS},
                 {"rss_anon", RSS_ANON}, {"rss_file", RSS_FILE},   {"rss_shmem", RSS_SHMEM},
                 {"swapents", SWAP},     {"oom_score_adj", SCORE}, {"pgtables_bytes", PGTABLES}};
    struct oomtable c = {0};
    const char *at = text;

    if (!scan_word(&at, "["))
        return false;
    at += strspn(at, " ");
    if (!scan_word(&at, "pid"))
        return false;
    at += strspn(at, " ");
    if (!scan_word(&at, "]"))
        return false;
    for (;;) {
        size_t size;

        at += strspn(at, " ");
        size = strcspn(at, " ");
        if (size == 4 && memcmp(at, "name", 4) == 0)
            break;
        if (size == 0 || c.count == OOMTABLE_COLUMNS_MAX)
            return false;
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
            if (strlen(known[i].name) == size && memcmp(at, known[i].name, size) == 0)
                c.is[c.count] = (unsigned char)known[i].column;
        c.count++;
        at += size;
    }
    if (c.count == 0)
        return false;
    *ret = c;
    return true;
}

/* A process that is going away may count below zero. */
static uint64_t scaled(int64_t n, uint64_t unit)
{
    uint64_t bytes;

    return n < 0 ? 0 : __builtin_mul_overflow((uint64_t)n, unit, &bytes) ? OOMKILL_UNKNOWN : bytes;
}

bool oomtable_row(const char *text, const struct oomtable *t, uint64_t page_size, struct oomkill_process *ret)
{
    struct oomkill_process p;
    const char *at = text;

    oomkill_process_init(&p);
    if (t->count == 0 || !scan_word(&at, "["))
        return false;
    at += strspn(at, " ");
    if (!scan_number(&at, &p.pid) || !scan_word(&at, "]"))
        return false;
    for (unsigned i = 0; i < t->count; i++) {
        int64_t n;

        at += strspn(at, " ");
        if (!scan_int(&at, &n))
            return false;
        switch ((enum column)t->is[i]) {
        case OTHER:
            break;
        case UID:
            p.uid = (uint64_t)n & UINT32_MAX; /* until Linux 6 written as an int */
            break;
        case TOTAL_VM:
            p.total_vm = scaled(n, page_size);
            break;
        case RSS:
            p.rss = scaled(n, page_size);
            break;
        case RSS_ANON:
            p.rss_anon = scaled(n, page_size);
            break;
        case RSS_FILE:
            p.rss_file = scaled(n, page_size);
            break;
        case RSS_SHMEM:
            p.rss_shmem = scaled(n, page_size);
            break;
        case PGTABLES:
            p.pgtables = scaled(n, 1);
            break;
        case SWAP:
            p.swap = scaled(n, page_size);
            break;
        case SCORE:
            p.oom_score_adj = n < -1000 || n > 1000 ? OOMKILL_NO_SCORE : (int)n;
            break;
        }
    }
    if (!scan_word(&at, " ") || !scan_keep(at, at + strlen(at), p.name, sizeof(p.name)))
        return false;
    *ret = p;
    return true;
}

/* --- the size of a page ---------------------------------------------------------------------------------------------
 */

uint64_t oomtable_page_size(const struct oomkill_process *row, uint64_t page_size, uint64_t total_vm)
{
    static const uint64_t sizes[] = {4096, 8192, 16384, 65536};

    if (row->total_vm == OOMKILL_UNKNOWN || total_vm == OOMKILL_UNKNOWN || row->total_vm < page_size)
        return page_size;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint64_t there = row->total_vm / page_size, meant;

        /* The process may have grown by a little in between. */
        if (!__builtin_mul_overflow(there, sizes[i], &meant) && meant / 8 * 7 <= total_vm && total_vm / 8 * 7 <= meant)
            return sizes[i];
    }
    return page_size;
}

static void rescale(uint64_t *bytes, uint64_t from, uint64_t to)
{
    if (*bytes != OOMKILL_UNKNOWN && __builtin_mul_overflow(*bytes / from, to, bytes))
        *bytes = OOMKILL_UNKNOWN;
}

void oomtable_rescale(struct oomkill *k, uint64_t from, uint64_t to)
{
    for (unsigned i = 0; i < k->task_count; i++) {
        struct oomkill_process *p = &k->task[i];
        uint64_t *const pages[] = {&p->total_vm, &p->rss, &p->rss_anon, &p->rss_file, &p->rss_shmem, &p->swap};

        for (size_t n = 0; n < ARRAY_SIZE(pages); n++)
            rescale(pages[n], from, to);
    }
    rescale(&k->ram, from, to);
}
