/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap. Arrays in the file lie one behind the other, and what is given back becomes a hole. Room is allocated on the
 * disk before it is mapped, as a full disk would end the process by SIGBUS.
 */
#include "base/big_memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_FROM = 4 << 20, HOLE_FROM = 1 << 20 /* a hole is a change of the file system */ };

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return size > SIZE_MAX - page ? 0 : size == 0 ? page : (size + page - 1) / page * page;
}

/* Takes bytes from the limit; false: they are beyond it. */
static bool reserve(struct big_memory *m, size_t size)
{
    uint64_t used = __atomic_add_fetch(&m->used, size, __ATOMIC_RELAXED);

    if (m->limit == 0 || used <= m->limit)
        return true;
    __atomic_sub_fetch(&m->used, size, __ATOMIC_RELAXED);
    return false;
}

static void give_back(struct big_memory *m, size_t size)
{
    __atomic_sub_fetch(&m->used, size, __ATOMIC_RELAXED);
}

/* Not posix_fallocate: glibc writes to each block where the file system can't allocate. */
static int allocate(int fd, uint64_t from, size_t size)
{
    if (fallocate(fd, 0, (off_t)from, (off_t)size) == 0)
        return 0;
    return errno == EOPNOTSUPP ? -ENOSPC : -errno;
}

static int new_in_file(struct big_array *a, size_t size)
{
    struct big_memory *m = a->memory;
    int r;

    if (m->fd < 0)
        return -ENOMEM;
    a->offset = __atomic_fetch_add(&m->file_size, size, __ATOMIC_RELAXED);
    if ((r = allocate(m->fd, a->offset, size)) < 0)
        return r;
    a->data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, (off_t)a->offset);
    if (a->data == MAP_FAILED) {
        a->data = NULL;
        return -ENOMEM;
    }
    a->is_file = true;
    a->size = size;
    return 0;
}

static void want_huge_pages(const struct big_array *a)
{
    if (!a->is_file && a->size >= HUGE_FROM)
        madvise(a->data, a->size, MADV_HUGEPAGE);
}

static int new_in_memory(struct big_array *a, size_t size)
{
    a->data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (a->data == MAP_FAILED) {
        a->data = NULL;
        give_back(a->memory, size);
        return -ENOMEM;
    }
    a->size = size;
    want_huge_pages(a);
    return 0;
}

int big_array_new(struct big_array *ret, struct big_memory *memory, size_t size)
{
    struct big_array a = {.memory = memory};
    size_t whole = whole_pages(size);
    int r;

    assert(ret && memory);
    if (whole == 0)
        return -ENOMEM;
    if ((r = reserve(memory, whole) ? new_in_memory(&a, whole) : new_in_file(&a, whole)) == 0)
        *ret = a;
    return r;
}

/* The last array of the file can grow where it is. */
static bool extend(struct big_array *a, size_t whole)
{
    uint64_t end = a->offset + a->size;

    return a->is_file && __atomic_compare_exchange_n(&a->memory->file_size, &end, a->offset + whole, false,
                                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static int move(struct big_array *a, size_t whole)
{
    struct big_array file = {.memory = a->memory};
    int r = new_in_file(&file, whole);

    if (r < 0)
        return r;
    memcpy(file.data, a->data, a->size);
    big_array_free(a);
    *a = file;
    return 0;
}

int big_array_grow(struct big_array *a, size_t size)
{
    size_t whole = whole_pages(size);
    void *data;
    int r;

    assert(a && a->data);
    if (whole == 0)
        return -ENOMEM;
    if (whole <= a->size)
        return 0;
    if (a->is_file ? !extend(a, whole) : !reserve(a->memory, whole - a->size))
        return move(a, whole);
    if (a->is_file && (r = allocate(a->memory->fd, a->offset + a->size, whole - a->size)) < 0)
        return r;
    data = mremap(a->data, a->size, whole, MREMAP_MAYMOVE);
    if (data == MAP_FAILED) {
        if (!a->is_file)
            give_back(a->memory, whole - a->size);
        return -ENOMEM;
    }
    a->data = data;
    a->size = whole;
    want_huge_pages(a);
    return 0;
}

static void make_hole(const struct big_array *a, size_t from, size_t size)
{
    if (fallocate(a->memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(a->offset + from), (off_t)size) <
        0)
        return; /* the room is given back with the file */
}

void big_array_drop(struct big_array *a, size_t from, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), first = (from + page - 1) / page * page,
           end = (from + size) / page * page;

    assert(from + size <= a->size);
    if (end <= first)
        return;
    if (!a->is_file)
        madvise((char *)a->data + first, end - first, MADV_DONTNEED);
    else if (end - first >= HOLE_FROM) /* less goes with the array */
        make_hole(a, first, end - first);
}

void big_array_free(struct big_array *a)
{
    if (a->data && a->is_file)
        make_hole(a, 0, a->size); /* who uses the file next finds zeros */
    else if (a->data)
        give_back(a->memory, a->size);
    if (a->data)
        munmap(a->data, a->size);
    *a = (struct big_array){0};
}
