/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The lines of a claim's journal (JSON, one object a line): a head that names the plan the parts belong
 * to, the store's token for the upload, and a line for each confirmed part with all that a resume behind it needs. A
 * hostile container may be able to write to the file: reading stops at the first line that is not exactly right.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/seektable.h"

enum { JOURNAL_LINE_MAX = 1024 * 1024, JOURNAL_DIGEST_MAX = 256, JOURNAL_ETAG_MAX = 256, JOURNAL_TOKEN_MAX = 1024 };

/* Parts can be used only if all of these are the same. */
struct journal_head {
    char *store; /* URL and endpoint */
    char *key;
    char *codec; /* with level: "zstd:1" */
    uint64_t block_size;
    uint64_t part_size;
    uint64_t file_size;
    int64_t file_mtime_ns;
};

struct journal_part {
    unsigned number;                        /* from 1, in order of the object's bytes */
    uint64_t size;                          /* of the part, bytes */
    uint64_t stored_end;                    /* object bytes up to and with this part */
    uint64_t raw_end;                       /* file bytes up to and with this part */
    char etag[JOURNAL_ETAG_MAX];            /* as upload_events.done has given it (store/sink.h) */
    char raw_digest[JOURNAL_DIGEST_MAX];    /* running digest at raw_end (codec/digest.h, saved) */
    char stored_digest[JOURNAL_DIGEST_MAX]; /* running digest at stored_end */
    struct frames frames;                   /* in this part */
};

struct journal {
    struct journal_head head;
    char *token;                /* NULL: the store gave none */
    struct journal_part *parts; /* 1, 2, 3 … without a gap: sorted; those behind a gap are dropped */
    size_t count, capacity;
};

/* Each appends a line. 0; -EINVAL for values that could not be read again (text that is not UTF-8 or too long, line
 * breaks in a token or ETag, numbers beyond INT64_MAX); -EMSGSIZE beyond JOURNAL_LINE_MAX (about 100,000 frames in
 * one part) or ret's ceiling; -ENOMEM. */
int journal_encode_head(const struct journal_head *h, struct buf *ret);
int journal_encode_token(const char *token, struct buf *ret);
int journal_encode_part(const struct journal_part *p, struct buf *ret);

/* Reads up to the first wrong line. 0; -EBADMSG if the head is wrong; -ENOMEM. At most 256 MiB and 100,000 parts; ret
 * is untouched on failure. */
int journal_decode(const char *data, size_t size, struct journal *ret);
void journal_done(struct journal *j);
void journal_part_done(struct journal_part *p);
int journal_head_same(const struct journal_head *a, const struct journal_head *b);
