/* SPDX-License-Identifier: Apache-2.0
 *
 * mmap; for streams a decoder between.
 */
#include "inspect/dump_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/mem.h"
#include "codec/codec.h"
#include "linux/volume.h"

enum {
    PIECE = 1024 * 1024,
    MAGIC = 4,
    PASSES = 2 /* of an analysis, about */,
    PROGRESS_BYTES = 16 * 1024 * 1024,
    ROOM_EACH = 16 * 1024 * 1024, /* bytes between two questions for the room that is left */
    FREE_PART = 16,
};

struct dump_stream {
    int fd;
    size_t unasked;                /* bytes since the last question */
    const struct codec_ops *codec; /* NULL: not known yet */
    void *decoder;
    unsigned char magic[MAGIC];
    size_t magic_size;
    char *out;
};

int dump_file_map(int fd, struct dump_file *ret, struct err *e)
{
    struct stat st;
    void *data;

    if (fstat(fd, &st) < 0)
        return err_set(e, -errno, "%s", strerror(errno));
    *ret = (struct dump_file){0};
    if (st.st_size == 0)
        return 0;
    data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return err_set(e, -errno, "it can't be mapped: %s", strerror(errno));
    madvise(data, (size_t)st.st_size, MADV_SEQUENTIAL);
    *ret = (struct dump_file){data, (size_t)st.st_size};
    return 0;
}

/* How far the passes over a dump are. */
static struct {
    _Atomic uint64_t done, said; /* bytes */
    uint64_t total;
    void (*fn)(uint64_t done, uint64_t total);
} reading;

void dump_file_watch(const struct dump_file *f, void (*fn)(uint64_t done, uint64_t total))
{
    reading.total = PASSES * f->size;
    reading.fn = fn;
}

static void count(size_t size)
{
    uint64_t done = atomic_fetch_add(&reading.done, size) + size, said = atomic_load(&reading.said);

    if (reading.fn && done < reading.total && done >= said + PROGRESS_BYTES &&
        atomic_compare_exchange_strong(&reading.said, &said, done))
        reading.fn(done / PASSES, reading.total / PASSES);
}

void dump_file_release(const void *data, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (page - (uintptr_t)data % page) % page;

    if (size >= before + page)
        madvise((char *)data + before, (size - before) / page * page, MADV_DONTNEED);
    count(size);
}

int dump_file_temporary(struct err *e)
{
    const char *tmp = env_get("TMPDIR");
    int fd = open(tmp ? tmp : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(e, -errno, "no temporary file in %s: %s (TMPDIR names another folder)", tmp ? tmp : "/tmp",
                       strerror(errno));
    return fd;
}

static int temporary_in(int folder, struct err *e)
{
    int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    return fd >= 0 ? fd : dump_file_temporary(e); /* a file system that has no such files */
}

int dump_stream_new(int folder, struct dump_stream **ret, struct err *e)
{
    struct dump_stream *s = calloc(1, sizeof(*s));
    int fd;

    if (!s || !(s->out = malloc(PIECE))) {
        free(s);
        return err_set(e, -ENOMEM, "out of memory");
    }
    if ((fd = folder >= 0 ? temporary_in(folder, e) : dump_file_temporary(e)) < 0) {
        free(s->out);
        free(s);
        return fd;
    }
    s->fd = fd;
    *ret = s;
    return 0;
}

void dump_stream_free(struct dump_stream *s)
{
    if (!s)
        return;
    if (s->decoder)
        s->codec->decoder_free(s->decoder);
    if (s->fd >= 0)
        close(s->fd);
    free(s->out);
    free(s);
}

static int check_room(struct dump_stream *s, size_t size, struct err *e)
{
    uint64_t all, left;

    s->unasked += size;
    if (s->unasked < ROOM_EACH)
        return 0;
    s->unasked = 0;
    if (volume_space(s->fd, &all, &left) < 0 || left >= all / FREE_PART + ROOM_EACH)
        return 0;
    return err_set(e, -FAULT_FULL,
                   "no room to unpack it in: a sixteenth of the volume stays free (TMPDIR names another "
                   "folder)");
}

static int write_out(struct dump_stream *s, const void *data, size_t size, struct err *e)
{
    int r = check_room(s, size, e);

    if (r < 0)
        return r;
    r = file_write(s->fd, data, size);
    return r < 0 ? err_set(e, r, "the temporary file for the dump: %s (TMPDIR names another folder)", strerror(-r)) : 0;
}

static int decode(struct dump_stream *s, const void *data, size_t size, struct err *e)
{
    int r;

    for (;;) {
        ssize_t n = s->codec->decode(s->decoder, &data, &size, s->out, PIECE);

        if (n < 0)
            return err_set(e, n == -ENOMEM ? -ENOMEM : -FAULT_CORRUPT, "it can't be decompressed: it is damaged");
        if (n == 0)
            return 0;
        if ((r = write_out(s, s->out, (size_t)n, e)) < 0)
            return r;
    }
}

static int begin(struct dump_stream *s, struct err *e)
{
    s->codec = codec_of_content(s->magic, s->magic_size);
    if (s->codec->decoder_new(&s->decoder) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    return decode(s, s->magic, s->magic_size, e);
}

int dump_stream_feed(struct dump_stream *s, const void *data, size_t size, struct err *e)
{
    const unsigned char *p = data;
    int r;

    assert(s && (data || size == 0));
    while (!s->codec && size > 0) {
        s->magic[s->magic_size++] = *p++;
        size--;
        if (s->magic_size == MAGIC && (r = begin(s, e)) < 0)
            return r;
    }
    return s->codec ? decode(s, p, size, e) : 0;
}

int dump_stream_end(struct dump_stream *s, int *ret_fd, struct err *e)
{
    int r;

    assert(s && ret_fd);
    if (!s->codec && (r = begin(s, e)) < 0)
        return r;
    if (s->codec->decoder_end(s->decoder) < 0)
        return err_set(e, -FAULT_CORRUPT, "it ends too early: the compressed stream is not whole");
    *ret_fd = TAKE_FD(s->fd);
    return 0;
}
