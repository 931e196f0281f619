/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and types are those of elfutils 0.188 (libdwfl/libdwflP.h, libdw/libdwP.h, libebl/eblopenbackend.c). An
 * elfutils that has other ones does not link: two definitions, or none.
 */
#include "core/elf_backends.h"

#include <stddef.h>

void elf_backends_link(void)
{
}

/* --- debuginfod -------------------------------------------------------------------------------------------------- */

void __libdwfl_debuginfod_end(void *client);
int __libdwfl_debuginfod_find_executable(void *dwfl, const unsigned char *id, size_t size);
int __libdwfl_debuginfod_find_debuginfo(void *dwfl, const unsigned char *id, size_t size);

void __libdwfl_debuginfod_end(void *client)
{
    (void)client;
}

int __libdwfl_debuginfod_find_executable(void *dwfl, const unsigned char *id, size_t size)
{
    (void)dwfl, (void)id, (void)size;
    return -1;
}

int __libdwfl_debuginfod_find_debuginfo(void *dwfl, const unsigned char *id, size_t size)
{
    (void)dwfl, (void)id, (void)size;
    return -1;
}

/* --- compressed kernels ------------------------------------------------------------------------------------------ */

int __libdw_gunzip(int fd, long start, void *mapped, size_t mapped_size, void **ret, size_t *ret_size);
int __libdw_bunzip2(int fd, long start, void *mapped, size_t mapped_size, void **ret, size_t *ret_size);

/* A Dwfl_Error: any but none. */
enum { CANNOT = 1 };

int __libdw_gunzip(int fd, long start, void *mapped, size_t mapped_size, void **ret, size_t *ret_size)
{
    (void)fd, (void)start, (void)mapped, (void)mapped_size, (void)ret, (void)ret_size;
    return CANNOT;
}

int __libdw_bunzip2(int fd, long start, void *mapped, size_t mapped_size, void **ret, size_t *ret_size)
{
    (void)fd, (void)start, (void)mapped, (void)mapped_size, (void)ret, (void)ret_size;
    return CANNOT;
}

/* --- other machines: NULL, and libebl takes its default ---------------------------------------------------------- */

#define NO_BACKEND(name)                                                                                               \
    void *name(void *elf, unsigned machine, void *backend);                                                            \
    void *name(void *elf, unsigned machine, void *backend)                                                             \
    {                                                                                                                  \
        (void)elf, (void)machine, (void)backend;                                                                       \
        return NULL;                                                                                                   \
    }

NO_BACKEND(alpha_init)
NO_BACKEND(arm_init)
NO_BACKEND(bpf_init)
NO_BACKEND(csky_init)
NO_BACKEND(i386_init)
NO_BACKEND(ia64_init)
NO_BACKEND(m68k_init)
NO_BACKEND(ppc64_init)
NO_BACKEND(ppc_init)
NO_BACKEND(riscv_init)
NO_BACKEND(s390_init)
NO_BACKEND(sh_init)
NO_BACKEND(sparc_init)
