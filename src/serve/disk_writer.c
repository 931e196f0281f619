/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of buffers; `filled` and `written` count them and only grow. Each buffer ends at an aligned offset of the
 * file, unless it was flushed before it was full. What is no whole block goes through the page cache: the end of such a
 * buffer, and the next one, which leads back to an aligned offset.
 */
#include "serve/disk_writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/thread.h"

enum { STACK_BYTES = 64 * 1024, FLUSH_STEP = 8 * 1024 * 1024 };

struct disk_writers {
    unsigned count;
    atomic_uint used;
};

struct disk_writer {
    struct disk_writers *all;
    int fd;
    int flags;                     /* of fd, as it was given */
    bool is_direct;                /* fd is O_DIRECT now; the thread's alone, as the next is */
    bool refused;                  /* not wanted, or the file system has no O_DIRECT */
    uint64_t dirty_from, dirty_to; /* the kernel was not yet asked to write these out; the thread's alone */
    uint64_t end;                  /* of what was added; the receiver's alone, as the next is */
    size_t size;                   /* of the buffer that is being filled */
    pthread_t thread;
    pthread_mutex_t lock; /* for the following */
    pthread_cond_t changed;
    uint64_t filled, written;
    size_t sizes[DISK_WRITER_BUFFERS];
    int result;
    bool stop;
    unsigned char *buffers; /* DISK_WRITER_BUFFERS of them, aligned */
};

struct disk_writers *disk_writers_new(unsigned count)
{
    struct disk_writers *all = calloc(1, sizeof(*all));

    if (all)
        all->count = count;
    return all;
}

void disk_writers_free(struct disk_writers *all)
{
    assert(!all || all->used == 0);
    free(all);
}

static unsigned char *buffer(const struct disk_writer *w, uint64_t n)
{
    return w->buffers + n % DISK_WRITER_BUFFERS * DISK_WRITER_BUFFER;
}

static void set_direct(struct disk_writer *w, bool on)
{
    if (on == w->is_direct)
        return;
    if (fcntl(w->fd, F_SETFL, on ? w->flags | O_DIRECT : w->flags) == 0)
        w->is_direct = on;
    else
        w->refused = true;
}

static int write_part(struct disk_writer *w, const unsigned char *data, size_t size, bool direct)
{
    set_direct(w, direct && !w->refused);
    while (size > 0) {
        ssize_t n = write(w->fd, data, size);

        if (n > 0) {
            data += n;
            size -= (size_t)n;
        } else if (n < 0 && errno == EINVAL && w->is_direct) {
            w->refused = true; /* the file system, or the rest of a write that it did in part */
            set_direct(w, false);
        } else if (n == 0 || errno != EINTR) {
            return n < 0 ? -errno : -EIO;
        }
    }
    return 0;
}

/* Only begins it, so that the sync at the end has little left to do. */
static void flush(struct disk_writer *w, size_t size)
{
    w->dirty_to += size;
    if (w->is_direct || w->dirty_to - w->dirty_from < FLUSH_STEP)
        return;
    (void)sync_file_range(w->fd, (off_t)w->dirty_from, (off_t)(w->dirty_to - w->dirty_from), SYNC_FILE_RANGE_WRITE);
    w->dirty_from = w->dirty_to;
}

/* What has a whole block in it begins at an aligned offset: see room(). */
static int write_out(struct disk_writer *w, const unsigned char *data, size_t size)
{
    size_t odd = size % DISK_WRITER_ALIGN;
    int r = size > odd ? write_part(w, data, size - odd, true) : 0;

    return r == 0 && odd > 0 ? write_part(w, data + (size - odd), odd, false) : r;
}

static void *run(void *ctx)
{
    struct disk_writer *w = ctx;
    int r = 0;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        size_t size;

        while (!w->stop && w->filled == w->written)
            pthread_cond_wait(&w->changed, &w->lock);
        if (w->stop)
            break;
        size = w->sizes[w->written % DISK_WRITER_BUFFERS];
        pthread_mutex_unlock(&w->lock);
        if (r == 0)
            r = write_out(w, buffer(w, w->written), size);
        if (r == 0)
            flush(w, size);
        pthread_mutex_lock(&w->lock);
        w->written++;
        w->result = r;
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static bool claim(struct disk_writers *all)
{
    unsigned used = atomic_load(&all->used);

    while (used < all->count)
        if (atomic_compare_exchange_weak(&all->used, &used, used + 1))
            return true;
    return false;
}

/* *w is all zero but for what the caller gives. */
static int start(struct disk_writer *w)
{
    void *buffers = mmap(NULL, (size_t)DISK_WRITER_BUFFERS * DISK_WRITER_BUFFER, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int r;

    if (buffers == MAP_FAILED)
        return -errno;
    w->buffers = buffers;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    if ((r = thread_start(&w->thread, STACK_BYTES, run, w)) < 0)
        munmap(buffers, (size_t)DISK_WRITER_BUFFERS * DISK_WRITER_BUFFER);
    return r;
}

struct disk_writer *disk_writer_new(struct disk_writers *all, const struct disk_writer_file *file)
{
    struct disk_writer *w;

    assert(all && file->fd >= 0);
    if (!claim(all))
        return NULL;
    if ((w = calloc(1, sizeof(*w)))) {
        w->all = all;
        w->fd = file->fd;
        w->flags = fcntl(file->fd, F_GETFL);
        w->refused = !file->direct;
        w->end = w->dirty_from = w->dirty_to = file->end;
        if (w->flags >= 0 && start(w) == 0)
            return w;
    }
    free(w);
    atomic_fetch_sub(&all->used, 1);
    return NULL;
}

/* Up to where the buffer that is being filled is to be filled. */
static size_t room(const struct disk_writer *w)
{
    uint64_t begin = w->end - w->size;
    size_t odd = (size_t)(begin % DISK_WRITER_ALIGN);

    return odd ? DISK_WRITER_ALIGN - odd : DISK_WRITER_BUFFER;
}

/* Hands the buffer over, and waits until there are no more than `left` that are not written. */
static int hand_over(struct disk_writer *w, unsigned left)
{
    int r;

    pthread_mutex_lock(&w->lock);
    if (w->size > 0) {
        w->sizes[w->filled % DISK_WRITER_BUFFERS] = w->size;
        w->filled++;
        w->size = 0;
        pthread_cond_signal(&w->changed);
    }
    while (w->filled - w->written > left)
        pthread_cond_wait(&w->changed, &w->lock);
    r = w->result;
    pthread_mutex_unlock(&w->lock);
    return r;
}

/* After hand_over() there is an empty buffer. */
void *disk_writer_space(const struct disk_writer *w, size_t *size)
{
    if (*size > room(w) - w->size)
        *size = room(w) - w->size;
    return buffer(w, w->filled) + w->size;
}

int disk_writer_add(struct disk_writer *w, const void *data, size_t size)
{
    const unsigned char *from = data;
    int r;

    while (size > 0) {
        size_t step = room(w) - w->size;

        if (step > size)
            step = size;
        if (from != buffer(w, w->filled) + w->size)
            memcpy(buffer(w, w->filled) + w->size, from, step);
        w->size += step;
        w->end += step;
        from += step;
        size -= step;
        if (w->size == room(w) && (r = hand_over(w, DISK_WRITER_BUFFERS - 1)) < 0)
            return r;
    }
    return 0;
}

int disk_writer_flush(struct disk_writer *w)
{
    return hand_over(w, 0);
}

void disk_writer_free(struct disk_writer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    set_direct(w, false);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    munmap(w->buffers, (size_t)DISK_WRITER_BUFFERS * DISK_WRITER_BUFFER);
    atomic_fetch_sub(&w->all->used, 1);
    free(w);
}
