/* SPDX-License-Identifier: Apache-2.0
 *
 * Each secret has separate pages, because the kernel excludes whole pages from core dumps. They are not in the heap,
 * where an overflow of a neighbour or a stale copy could leak them.
 */
#include "base/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct secret {
    size_t size, mapped;
    char bytes[];
};

struct secret *secret_new(const char *bytes, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), mapped;
    struct secret *s;

    if (size > SIZE_MAX - sizeof(*s) - page)
        return NULL;
    mapped = (sizeof(*s) + size + 1 + page - 1) / page * page;
    s = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return NULL;
    madvise(s, mapped, MADV_DONTDUMP); /* as far as the kernel allows */
    s->size = size;
    s->mapped = mapped;
    if (size > 0)
        memcpy(s->bytes, bytes, size); /* the page was zero: the NUL is there */
    return s;
}

struct secret *secret_copy(const struct secret *s)
{
    return s ? secret_new(s->bytes, s->size) : NULL;
}

void secret_free(struct secret *s)
{
    size_t mapped;

    if (!s)
        return;
    mapped = s->mapped;
    explicit_bzero(s, mapped);
    munmap(s, mapped);
}

const char *secret_expose(const struct secret *s)
{
    return s ? s->bytes : "";
}

size_t secret_size(const struct secret *s)
{
    return s ? s->size : 0;
}
