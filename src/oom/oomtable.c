/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds columns by their names in the header; ignores unknown ones.
 */
#include "oom/oomtable.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"

/* struct oomtable has for each column its index here + 1; 0: ignored. */
static const struct column {
    const char *name;
    size_t offset; /* of the field in struct oomkill_process */
    enum { PAGES, BYTES, USER, SCORE } unit;
} COLUMNS[] = {
    {"uid", 0, USER},
    {"total_vm", offsetof(struct oomkill_process, total_vm), PAGES},
    {"rss", offsetof(struct oomkill_process, rss), PAGES},
    {"rss_anon", offsetof(struct oomkill_process, rss_anon), PAGES},
    {"rss_file", offsetof(struct oomkill_process, rss_file), PAGES},
    {"rss_shmem", offsetof(struct oomkill_process, rss_shmem), PAGES},
    {"swapents", offsetof(struct oomkill_process, swap), PAGES},
    {"pgtables_bytes", offsetof(struct oomkill_process, pgtables), BYTES},
    {"oom_score_adj", 0, SCORE},
};

bool oomtable_header(const char *text, struct oomtable *ret)
{
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
        for (size_t i = 0; i < ARRAY_SIZE(COLUMNS); i++)
            if (strlen(COLUMNS[i].name) == size && memcmp(at, COLUMNS[i].name, size) == 0)
                c.is[c.count] = (unsigned char)(i + 1);
        c.count++;
        at += size;
    }
    if (c.count == 0)
        return false;
    *ret = c;
    return true;
}

/* A process that is ending may have negative counts. */
static uint64_t scaled(int64_t n, uint64_t unit)
{
    uint64_t bytes;

    if (n < 0)
        return 0;
    return __builtin_mul_overflow((uint64_t)n, unit, &bytes) ? OOMKILL_UNKNOWN : bytes;
}

static void set_column(struct oomkill_process *p, const struct column *c, int64_t n, uint64_t page_size)
{
    uint64_t *bytes = (uint64_t *)(void *)((char *)p + c->offset);

    switch (c->unit) {
    case PAGES:
        *bytes = scaled(n, page_size);
        break;
    case BYTES:
        *bytes = scaled(n, 1);
        break;
    case USER:
        p->uid = (uint64_t)n & UINT32_MAX; /* until Linux 6 written as an int */
        break;
    case SCORE:
        p->oom_score_adj = n < -1000 || n > 1000 ? OOMKILL_NO_SCORE : (int)n;
        break;
    }
}

bool oomtable_row(const char *text, const struct oomtable *t, uint64_t page_size, struct oomkill_process *ret)
{
    struct oomkill_process p;
    const char *at = text;

    assert(page_size > 0);
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
        if (t->is[i] > 0)
            set_column(&p, &COLUMNS[t->is[i] - 1], n, page_size);
    }
    if (!scan_word(&at, " ") || !scan_copy(at, at + strlen(at), p.name, sizeof(p.name)))
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
    assert(from > 0 && to > 0);
    for (unsigned i = 0; i < k->task_count; i++) {
        struct oomkill_process *p = &k->task[i];
        uint64_t *const pages[] = {&p->total_vm, &p->rss, &p->rss_anon, &p->rss_file, &p->rss_shmem, &p->swap};

        for (size_t n = 0; n < ARRAY_SIZE(pages); n++)
            rescale(pages[n], from, to);
    }
    rescale(&k->ram, from, to);
}
