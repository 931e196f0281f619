/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments that can't be written have no contents but the file's. Relocated constants lie in one that could.
 */
#include "linux/start_pages.h"

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static void drop(uintptr_t begin, uintptr_t end)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    begin = (begin + page - 1) & ~(page - 1);
    end &= ~(page - 1);
    if (begin < end)
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives numbers */
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
}

/* The program itself comes first. */
static int drop_program(struct dl_phdr_info *info, size_t size, void *ctx)
{
    (void)size, (void)ctx;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type == PT_LOAD && !(p->p_flags & PF_W))
            drop(info->dlpi_addr + p->p_vaddr, info->dlpi_addr + p->p_vaddr + p->p_filesz);
    }
    return 1;
}

void start_pages_drop(void)
{
    dl_iterate_phdr(drop_program, NULL);
}
