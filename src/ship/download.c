/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests the object as it arrives, decompresses it, and reads the file back.
 */
#include "ship/download.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/progress.h"
#include "base/text.h"
#include "codec/codec.h"
#include "codec/digest.h"

enum { OUT_SIZE = 256 * 1024 };

/* Bytes on their way from the store to the file. */
struct transfer {
    const struct manifest *manifest;
    const struct codec_ops *codec; /* NULL: raw */
    void *decoder;
    struct digest stored, file; /* file: of what went to a pipe; a file is read back */
    uint64_t stored_size, file_size;
    int fd;
    bool read_back; /* fd is a file of ours */
    unsigned char *out;
    struct progress progress;
    struct err *err;
};

/* Writes no more than the manifest says: a few bytes can decompress to any number. */
static int write_out(struct transfer *t, const void *data, size_t size)
{
    uint64_t most = t->codec ? t->manifest->size : t->manifest->stored_size;
    int r;

    if (size > most - t->file_size)
        return err_set(t->err, -FAULT_CORRUPT, "the object holds more than the %" PRIu64 " bytes its manifest says",
                       most);
    if ((r = file_write(t->fd, data, size)) < 0)
        return err_set(t->err, r, "cannot write: %s", strerror(-r));
    if (!t->read_back)
        digest_update(&t->file, data, size);
    t->file_size += size;
    return 0;
}

static int on_data(void *ctx, const void *data, size_t size)
{
    struct transfer *t = ctx;
    int r = 0;

    if (size > t->manifest->stored_size - t->stored_size)
        return err_set(t->err, -FAULT_CORRUPT, "the object is longer than the %" PRIu64 " bytes its manifest says",
                       t->manifest->stored_size);
    digest_update(&t->stored, data, size);
    t->stored_size += size;
    progress_show(&t->progress, t->stored_size, t->manifest->stored_size);
    if (!t->codec)
        return write_out(t, data, size);
    for (;;) {
        ssize_t n = t->codec->decode(t->decoder, &data, &size, t->out, OUT_SIZE);

        if (n == -ENOMEM)
            return err_set(t->err, -ENOMEM, "out of memory");
        if (n < 0)
            return err_set(t->err, -FAULT_CORRUPT, "the object does not decompress: it is damaged");
        if (n == 0)
            return 0;
        if ((r = write_out(t, t->out, (size_t)n)) < 0)
            return r;
    }
}

struct expected {
    uint64_t size;
    const char *sha256;
};

static int compare(const char *what, const struct digest *d, uint64_t size, const struct expected *wanted,
                   struct err *e)
{
    char hex[DIGEST_HEX_MAX];

    digest_hex(d, hex);
    if (size == wanted->size && text_eq(hex, wanted->sha256))
        return 0;
    return err_set(e, -FAULT_CORRUPT, "%s is not what was shipped: %llu bytes with SHA-256 %s, not %llu with %s", what,
                   (unsigned long long)size, hex, (unsigned long long)wanted->size, wanted->sha256);
}

/* Digests what is in the file now: another process may have written to it. */
static int digest_file(struct transfer *t, struct err *e)
{
    ssize_t n = 1;

    digest_init(&t->file);
    for (uint64_t at = 0; n > 0; at += (uint64_t)n) {
        n = file_pread(t->fd, t->out, OUT_SIZE, at);
        if (n < 0)
            return err_set(e, (int)n, "cannot read back what was written: %s", strerror((int)-n));
        digest_update(&t->file, t->out, (size_t)n);
        t->file_size = at + (uint64_t)n;
    }
    return 0;
}

static int verify(struct transfer *t, struct err *e)
{
    const struct manifest *m = t->manifest;
    const struct expected object = {m->stored_size, m->stored_sha256}, file = {m->size, m->sha256};
    int r = compare("the object", &t->stored, t->stored_size, &object, e);

    if (r == 0 && t->codec && t->codec->decoder_end(t->decoder) < 0)
        return err_set(e, -FAULT_CORRUPT, "the object ends in the middle of a frame: it is damaged");
    if (r == 0 && t->read_back)
        r = digest_file(t, e);
    if (r == 0 && (t->codec || t->read_back))
        r = compare("the file", &t->file, t->file_size, t->codec ? &file : &object, e);
    return r;
}

static int transfer(const struct download *d, int fd, bool read_back, struct err *e)
{
    const struct manifest *m = d->manifest;
    struct transfer t = {.manifest = m, .fd = fd, .read_back = read_back, .err = e};
    struct codec codec = {0};
    int r;

    if (!d->raw && codec_parse(m->codec ? m->codec : "none", &codec, e) < 0)
        return err_set(e, -FAULT_FORMAT, "this salvage does not know the codec '%s': try --raw", m->codec);
    t.codec = d->raw ? NULL : codec.ops;
    t.out = malloc(OUT_SIZE);
    if (!t.out || (t.codec && t.codec->decoder_new(&t.decoder) < 0)) {
        free(t.out);
        return err_set(e, -ENOMEM, "out of memory");
    }
    digest_init(&t.stored);
    digest_init(&t.file);
    progress_begin(&t.progress, m->name ? m->name : d->key);
    r = d->sink->ops->read(d->sink, &(struct object_reader){.key = d->key, .fn = on_data, .ctx = &t}, e);
    progress_end(&t.progress, t.stored_size, m->stored_size);
    if (r == 0)
        r = verify(&t, e);
    if (t.codec)
        t.codec->decoder_free(t.decoder);
    free(t.out);
    return r;
}

/* A new file in the folder of path, under a random name. Its descriptor, or -errno. */
static int open_part(const char *path, char **ret)
{
    const char *name = text_base_name(path);
    unsigned char random[8];
    char hex[2 * sizeof(random) + 1];

    for (int tries = 0; tries < 16; tries++) {
        CLEANUP_FREE char *part = NULL;
        int fd;

        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
            return -EIO;
        text_hex(random, sizeof(random), hex);
        if (asprintf(&part, "%.*s.salvage-%s.part", (int)(name - path), path, hex) < 0) {
            part = NULL;
            return -ENOMEM;
        }
        fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0)
            return -errno;
        *ret = TAKE_PTR(part);
        return fd;
    }
    return -EEXIST;
}

/* Renames the file; one that was made under the name meanwhile is only overwritten with force. */
static int publish(const char *part, const char *path, bool force, struct err *e)
{
    int r = !force ? file_rename_new(AT_FDCWD, part, AT_FDCWD, path) : rename(part, path) < 0 ? -errno : 0;

    if (r == 0)
        return 0;
    return r == -EEXIST ? err_set(e, -FAULT_EXISTS, "%s exists by now: give --force to overwrite it", path)
                        : err_set(e, r, "cannot rename %s: %s", part, strerror(-r));
}

int download_to_stdout(const struct download *d, struct err *e)
{
    assert(d->sink && d->key && d->manifest);
    return transfer(d, STDOUT_FILENO, false, e);
}

int download_to_file(const struct download *d, const char *path, struct err *e)
{
    CLEANUP_FREE char *part = NULL;
    CLEANUP_FD int fd = -1;
    struct stat st;
    int r;

    assert(d->sink && d->key && d->manifest);
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
        return err_set(e, -FAULT_EXISTS, "%s is not a regular file: -o - writes to stdout", path);
    if (!d->overwrite && access(path, F_OK) == 0)
        return err_set(e, -FAULT_EXISTS, "%s exists: give --force to overwrite it, or -o FILE", path);
    fd = open_part(path, &part);
    if (fd < 0 || !part)
        return err_set(e, fd, "cannot write beside %s: %s", path, strerror(-fd));
    if ((r = transfer(d, fd, true, e)) == 0)
        r = publish(part, path, d->overwrite, e);
    if (r < 0)
        unlink(part);
    return r;
}
