/* SPDX-License-Identifier: Apache-2.0
 *
 * The structures are those of <linux/fs.h>, which Debian 12's headers do not have yet.
 */
#include "linux/pagemap_scan.h"

#include <sys/ioctl.h>

struct page_region_1 {
    uint64_t start, end, categories;
};

struct pm_scan_arg_1 {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define PAGEMAP_SCAN_1 _IOWR('f', 16, struct pm_scan_arg_1)

static const uint64_t PRESENT = 1 << 3, SWAPPED = 1 << 4;

uint64_t pagemap_next(int pagemap, uint64_t start, uint64_t end)
{
    struct page_region_1 found = {0};
    struct pm_scan_arg_1 arg = {.size = sizeof(arg),
                                .start = start,
                                .end = end,
                                .vec = (uintptr_t)&found,
                                .vec_len = 1,
                                .max_pages = 1,
                                .category_anyof_mask = PRESENT | SWAPPED,
                                .return_mask = PRESENT | SWAPPED};
    int r = ioctl(pagemap, PAGEMAP_SCAN_1, &arg);

    if (r > 0)
        return found.start;
    return r == 0 && arg.walk_end >= end ? end : start;
}
