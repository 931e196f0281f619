/* SPDX-License-Identifier: Apache-2.0
 *
 * The plain bytes of a stored object, decoded while they are read: zstd, gzip, or as they are; its first bytes decide,
 * not its name. With zstd's seek table a read begins at the frame that holds its first byte, and each frame must be
 * what the table says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "codec/codec.h"

struct plain_reader;

/* fd: of a regular file of this size, borrowed. -EIO and the like. */
int plain_reader_new(int fd, uint64_t size, struct plain_reader **ret);

/* The same of what is no file. read: fills data unless the object ends before: bytes, or -errno. ctx is borrowed. */
struct plain_source {
    ssize_t (*read)(void *ctx, void *data, size_t size, uint64_t at);
    void *ctx;
};
int plain_reader_new_from(const struct plain_source *source, uint64_t size, struct plain_reader **ret);
void plain_reader_free(struct plain_reader *p);

const struct codec_ops *plain_reader_codec(const struct plain_reader *p);

/* Whether there is a seek table: reads can begin anywhere, and *ret_size is the size of the plain bytes. */
bool plain_reader_seeks(const struct plain_reader *p, uint64_t *ret_size);

/* Before the first read: only these bytes. size UINT64_MAX: to the end, wherever that is. Without a table what lies
 * before is decoded, too. ends: they end where the object's do, so nothing may follow. -EBADMSG, -E2BIG, -ENOMEM. */
int plain_reader_seek(struct plain_reader *p, uint64_t first, uint64_t size, bool ends);

/* Fills data unless the end comes first: bytes, or 0 at the end. -EBADMSG: damaged; -E2BIG: wants a window of more than
 * PLAIN_WINDOW_MAX; -ENOMEM, -errno. The last bytes are handed out only once all checksums up to there are right. */
enum { PLAIN_WINDOW_LOG_MAX = 23 }; /* 8 MiB, what RFC 8878 recommends (3.1.1.1.2) and RFC 9659 demands for HTTP */
ssize_t plain_reader_read(struct plain_reader *p, void *data, size_t size);
