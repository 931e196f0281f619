/* SPDX-License-Identifier: Apache-2.0
 *
 * The id of a file is the XXH3 of a text with its attributes. The format of the text must never change: every dump that
 * is being shipped during an update would be stored a second time.
 */
#include "place/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/text.h"

static int64_t timestamp_ns(const struct statx_timestamp *t)
{
    int64_t ns;

    /* beyond the year 2262 or before 1677: a wrong clock, or a bad file system */
    if (__builtin_mul_overflow(t->tv_sec, INT64_C(1000000000), &ns) || __builtin_add_overflow(ns, t->tv_nsec, &ns))
        return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

__attribute__((format(printf, 2, 3))) static int make_id(char out[IDENTITY_MAX], const char *format, ...)
{
    CLEANUP_FREE char *text = NULL;
    XXH64_canonical_t digest;
    va_list args;
    int size;

    va_start(args, format);
    size = vasprintf(&text, format, args);
    va_end(args);
    if (size < 0) {
        text = NULL;
        return -ENOMEM;
    }
    /* Not SHA-256: the loop calls this, and initialising OpenSSL would take 2 MiB. */
    XXH64_canonicalFromHash(&digest, XXH3_64bits(text, (size_t)size));
    text_hex(digest.digest, sizeof(digest.digest), out);
    return 0;
}

static int id_of_file(struct identity *i, const char *machine)
{
    if (i->by_birth)
        return make_id(i->id, "salvage.id/1\nmachine %s\ndev %u:%u\nino %" PRIu64 "\nbirth %" PRId64 "\n", machine,
                       major(i->dev), minor(i->dev), i->ino, i->birth_ns);
    return make_id(i->id, "salvage.id/1\nmachine %s\ndev %u:%u\nino %" PRIu64 "\nmtime %" PRId64 "\nsize %" PRIu64 "\n",
                   machine, major(i->dev), minor(i->dev), i->ino, i->mtime_ns, i->size);
}

int identity_of_stream(const char *machine, pid_t pid, int64_t started_ns, int64_t now_ns, char ret[IDENTITY_MAX])
{
    return make_id(ret, "salvage.id/1\nmachine %s\npid %d\nstarted %" PRId64 "\nnow %" PRId64 "\n", machine, (int)pid,
                   started_ns, now_ns);
}

int identity_get(int fd, const char *machine, struct identity *ret)
{
    struct statx s;
    int r;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &s) < 0)
        return -errno;

    struct identity i = {
        .dev = makedev(s.stx_dev_major, s.stx_dev_minor),
        .ino = s.stx_ino,
        .size = s.stx_size,
        .disk = s.stx_blocks * 512,
        .birth_ns = s.stx_mask & STATX_BTIME ? timestamp_ns(&s.stx_btime) : 0,
        .mtime_ns = timestamp_ns(&s.stx_mtime),
        .ctime_ns = timestamp_ns(&s.stx_ctime),
        .uid = s.stx_uid,
        .mode = s.stx_mode,
    };
    /* some file systems report 1970 for unknown */
    i.by_birth = i.birth_ns != 0;
    r = id_of_file(&i, machine);
    if (r < 0)
        return r;
    *ret = i;
    return 0;
}

bool identity_unchanged(const struct identity *before, const struct identity *after)
{
    return before->dev == after->dev && before->ino == after->ino && before->birth_ns == after->birth_ns &&
           before->size == after->size && before->mtime_ns == after->mtime_ns;
}
