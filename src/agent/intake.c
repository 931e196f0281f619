/* SPDX-License-Identifier: Apache-2.0
 *
 * Sequential reading, once; with a second look at what was read too early.
 */
#include "agent/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

static int read_failed(const struct intake *in, int r, struct err *e)
{
    return err_set(e, r, "cannot read %s: %s", in->path, strerror(-r));
}

int intake_init(struct intake *in, int fd, const char *machine, const char *path, size_t block_size, bool following,
                struct err *e)
{
    unsigned char head[32];
    ssize_t n;
    int r;

    *in = (struct intake){.fd = fd, .machine = machine, .path = path, .following = following, .block_size = block_size};
    if ((r = identity_get(fd, machine, &in->identity)) < 0)
        return read_failed(in, r, e);
    n = file_pread(fd, head, sizeof(head), 0);
    if (n < 0)
        return read_failed(in, (int)n, e);
    in->is_hprof = hprof_probe(head, (size_t)n) || text_ends(path, ".hprof");
    hprof_init(&in->hprof);
    digest_init(&in->digest);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

void intake_done(struct intake *in)
{
    free(in->early);
    in->early = NULL;
}

/* Walks the dump's records up to end, reading their heads alone: bodies are jumped over. */
static int walk(struct intake *in, uint64_t end, struct err *e)
{
    unsigned char piece[64 * 1024];

    while (in->hprof.offset < end) {
        uint64_t left = end - in->hprof.offset;
        ssize_t n;

        if (in->hprof.state == HPROF_BROKEN)
            return 0;
        if (in->hprof.body_left > sizeof(piece)) {
            uint64_t jump = in->hprof.body_left < left ? in->hprof.body_left : left;

            in->hprof.body_left -= jump;
            in->hprof.offset += jump;
            if (in->hprof.body_left > 0)
                return 0;
            in->hprof.state = HPROF_RECORD_HEAD;
            continue;
        }
        n = file_pread(in->fd, piece, left < sizeof(piece) ? (size_t)left : sizeof(piece), in->hprof.offset);
        if (n <= 0)
            return n < 0 ? read_failed(in, (int)n, e)
                         : err_set(e, -FAULT_CHANGED, "%s became shorter while it was shipped", in->path);
        hprof_feed(&in->hprof, piece, (size_t)n);
    }
    return 0;
}

int intake_resume(struct intake *in, uint64_t offset, const char *saved_digest, struct err *e)
{
    struct digest d;

    if (offset > in->identity.size || digest_load(&d, saved_digest) < 0)
        return err_set(e, -FAULT_FORMAT, "the journal of %s does not fit the file", in->path);
    in->digest = d;
    in->offset = offset;
    return in->is_hprof ? walk(in, offset, e) : 0;
}

static int remember_early(struct intake *in, const void *block)
{
    if (in->early_count == in->early_capacity) {
        size_t capacity = in->early_capacity ? in->early_capacity * 2 : 1024;
        uint64_t *early = reallocarray(in->early, capacity, sizeof(*early));

        if (!early)
            return -ENOMEM;
        in->early = early;
        in->early_capacity = capacity;
    }
    in->early[in->early_count++] = XXH3_64bits(block, in->block_size);
    return 0;
}

/* A dump whose lengths are filled in later is not written from front to back: wait for its end before this block. */
static bool written_out_of_order(struct intake *in, const void *block, size_t size)
{
    struct hprof ahead = in->hprof;

    if (!in->is_hprof)
        return false;
    hprof_feed(&ahead, block, size);
    return ahead.unpatched || ahead.state == HPROF_BROKEN;
}

ssize_t intake_read(struct intake *in, void *block, struct err *e)
{
    ssize_t n = file_pread(in->fd, block, in->block_size, in->offset);

    if (n < 0)
        return read_failed(in, (int)n, e);
    if (in->following) {
        if ((size_t)n < in->block_size || written_out_of_order(in, block, (size_t)n))
            return -EAGAIN;
        if (remember_early(in, block) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    } else if (in->offset + (uint64_t)n < in->identity.size && (size_t)n < in->block_size) {
        return err_set(e, -FAULT_CHANGED, "%s became shorter while it was shipped", in->path);
    } else if (in->offset + (uint64_t)n > in->identity.size) {
        return err_set(e, -FAULT_CHANGED, "%s grows again while it is shipped", in->path);
    }
    digest_update(&in->digest, block, (size_t)n);
    if (in->is_hprof)
        hprof_feed(&in->hprof, block, (size_t)n);
    in->offset += (uint64_t)n;
    return n;
}

int intake_complete(struct intake *in, struct err *e)
{
    CLEANUP_FREE void *block = malloc(in->block_size);
    int r;

    if (!block)
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = identity_get(in->fd, in->machine, &in->identity)) < 0)
        return read_failed(in, r, e);
    in->following = false;
    for (size_t i = 0; i < in->early_count; i++) {
        ssize_t n = file_pread(in->fd, block, in->block_size, (uint64_t)i * in->block_size);

        if (n < 0)
            return read_failed(in, (int)n, e);
        if ((size_t)n < in->block_size || XXH3_64bits(block, in->block_size) != in->early[i])
            return err_set(e, -FAULT_CHANGED, "%s was not written from front to back", in->path);
    }
    return 0;
}

int intake_verify(struct intake *in, struct err *e)
{
    struct identity now;
    int r = identity_get(in->fd, in->machine, &now);

    if (r < 0)
        return read_failed(in, r, e);
    if (!identity_unchanged(&in->identity, &now) || in->offset != now.size)
        return err_set(e, -FAULT_CHANGED, "%s was written to while it was shipped", in->path);
    return 0;
}

const char *intake_partial(const struct intake *in, char *out, size_t size)
{
    return in->is_hprof ? hprof_partial(&in->hprof, out, size) : NULL;
}
