/* SPDX-License-Identifier: Apache-2.0
 *
 * The S3 destination as a sink, and that of OBS: the tables, and what is too small for a file of its own. Its parts:
 *
 *   s3_dialect   what differs: S3, OBS      s3_error              what a refusal means
 *   s3_endpoint  where the bucket is        s3_object, s3_read    one object
 *   s3_open      configuration              s3_browse             listings
 *   s3_store     credentials, signing       s3_multipart          begin and abort an upload in parts
 *   s3_call      one request, tried again   s3_upload, s3_commit  the upload itself
 *                                           s3_part_etag          a part's ETag and checksum, as text
 *                                           s3_handed             an upload whose parts others send
 *                                           s3_checksum           checksums that the store compares
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/s3/s3_browse.h"
#include "store/s3/s3_handed.h"
#include "store/s3/s3_object.h"
#include "store/s3/s3_upload.h"

static struct s3 *s3_of(struct sink *s)
{
    return (struct s3 *)s;
}

static int open_dialect(const struct sink_config *c, const struct s3_dialect *d, const struct sink_ops *ops,
                        struct sink **ret, struct err *e)
{
    struct s3 *s;
    int r = s3_open(c, d, ops, &s, e);

    if (r < 0)
        return r;
    *ret = (struct sink *)s;
    return 0;
}

static int sink_s3_open(const struct sink_config *c, struct sink **ret, struct err *e)
{
    return open_dialect(c, &S3_AWS, &SINK_S3, ret, e);
}

static int sink_obs_open(const struct sink_config *c, struct sink **ret, struct err *e)
{
    return open_dialect(c, &S3_OBS, &SINK_OBS, ret, e);
}

static int sink_s3_origin(const struct sink_config *c, char **ret, struct err *e)
{
    return s3_origin(c, &S3_AWS, ret, e);
}

static int sink_obs_origin(const struct sink_config *c, char **ret, struct err *e)
{
    return s3_origin(c, &S3_OBS, ret, e);
}

static int sink_s3_share(struct sink *of, struct sink **ret, struct err *e)
{
    struct s3 *s;
    int r = s3_share(s3_of(of), &s, e);

    if (r < 0)
        return r;
    *ret = (struct sink *)s;
    return 0;
}

static void sink_s3_close(struct sink *s)
{
    s3_close(s3_of(s));
}

static int give_up(void *ctx, const struct err *trouble, uint64_t delay_ms)
{
    (void)ctx, (void)trouble, (void)delay_ms;
    return -ECANCELED;
}

/* CreateMultipartUpload and PutObject take the same permission, for the same key. */
static int sink_s3_probe(struct sink *s, const char *key, struct err *e)
{
    const struct request_patience once = {.wait = give_up};
    const struct object o = {.key = key};
    struct s3_begun begun = {.token = NULL};
    struct err ignored;
    int r = s3_begin(s3_of(s), &o, &once, &begun, e);

    if (r < 0)
        return r;
    /* Without the permission to abort, the bucket's lifecycle rule removes it; evidence can be stored all the same. */
    (void)s3_abort(s3_of(s), key, begun.token, &once, &ignored);
    free(begun.token);
    return 0;
}

static int sink_s3_remove(struct sink *s, const char *key, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    struct s3_call c = {.method = "DELETE", .action = "DeleteObject", .key = key};
    int r = s3_perform(s3_of(s), s3_http(s3_of(s)), &c, &a, e);

    return r == -FAULT_NO_OBJECT ? 0 : r;
}

static int sink_s3_stat(struct sink *s, const char *key, struct object_info *ret, struct err *e)
{
    struct s3_head head;
    int r = s3_head(s3_of(s), &(struct s3_subject){.key = key}, &head, e);

    if (r < 0)
        return r;
    *ret = (struct object_info){.size = head.size, .modified_ns = head.modified_ns};
    memcpy(ret->sha256, head.sha256, sizeof(ret->sha256));
    snprintf(ret->etag, sizeof(ret->etag), "%s", head.etag);
    return 0;
}

static int sink_s3_put(struct sink *s, const struct small_object *o, struct err *e)
{
    struct s3_body body = {.data = o->data, .size = o->size};
    struct s3_put put = {.key = o->key, .content_type = o->content_type, .body = &body, .readable = true};
    struct s3_confirmation confirmation = {0};
    struct s3_head head;
    int r = s3_put(s3_of(s), &put, NULL, &confirmation, e);

    if (r < 0 || confirmation.checked)
        return r;
    if ((r = s3_head(s3_of(s), &(struct s3_subject){.key = o->key}, &head, e)) < 0)
        return r == -FAULT_DENIED ? 0 : r; /* see s3_commit.c */
    return head.size == o->size
               ? 0
               : s3_fail(s3_of(s), e, -FAULT_CORRUPT, "'%.200s' has another size in the store than here", o->key);
}

static int sink_s3_list(struct sink *s, const char *prefix,
                        int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e)
{
    return s3_list(s3_of(s), prefix, fn, ctx, e);
}

static int sink_s3_list_folder(struct sink *s, const char *folder,
                               int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e)
{
    return s3_list_folder(s3_of(s), folder, fn, ctx, e);
}

static int sink_s3_list_after(struct sink *s, const struct sink_list_from *from,
                              int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e)
{
    return s3_list_after(s3_of(s), from, fn, ctx, e);
}

static int sink_s3_presign(struct sink *s, const struct presign *what, struct secret **ret_url, struct err *e)
{
    return s3_presign(s3_of(s), what, ret_url, e);
}

static int sink_s3_read(struct sink *s, const struct object_reader *reader, struct err *e)
{
    return s3_read(s3_of(s), reader, e);
}

static int sink_s3_load(struct sink *s, void **connection, const char *key, struct buf *ret, struct err *e)
{
    struct http *h = *connection;
    int r = h ? 0 : s3_http_new(s3_of(s), &h, e);

    *connection = h;
    return r < 0 ? r : s3_load(s3_of(s), h, key, ret, e);
}

static void sink_s3_load_end(void *connection)
{
    http_free(connection);
}

static int sink_s3_hand_begin(struct sink *s, const struct object *o, struct handed_upload *ret, struct err *e)
{
    return s3_hand_begin(s3_of(s), o, ret, e);
}

static int sink_s3_hand_part(struct sink *s, const struct handed_part *what, struct handed_request *ret, struct err *e)
{
    return s3_hand_part(s3_of(s), what, ret, e);
}

static int sink_s3_upload_new(struct sink *s, const struct upload_start *start, struct upload **ret, struct err *e)
{
    return s3_upload_new(s3_of(s), start, ret, e);
}

static int sink_s3_abort_token(struct sink *s, const char *key, const char *token, struct err *e)
{
    return s3_abort(s3_of(s), key, token, NULL, e);
}

static int sink_s3_sweep(struct sink *s, const struct upload_sweep *sweep, unsigned *ret_count, struct err *e)
{
    return s3_sweep(s3_of(s), sweep, ret_count, e);
}

/* The tables differ in open, which chooses the dialect. */
#define S3_SINK(scheme, open_fn, origin_fn)                                                                            \
    {                                                                                                                  \
        .name = scheme, .open = open_fn, .origin = origin_fn, .part_min = S3_PART_MIN, .part_max = S3_PART_MAX,        \
        .parts_max = S3_PARTS_MAX, .resumes = true, .close = sink_s3_close, .share = sink_s3_share,                    \
        .probe = sink_s3_probe, .stat = sink_s3_stat, .put = sink_s3_put, .remove = sink_s3_remove,                    \
        .list = sink_s3_list, .list_folder = sink_s3_list_folder, .list_after = sink_s3_list_after,                    \
        .presign = sink_s3_presign, .read = sink_s3_read, .load = sink_s3_load, .load_end = sink_s3_load_end,          \
        .hand_begin = sink_s3_hand_begin, .hand_part = sink_s3_hand_part, .upload_new = sink_s3_upload_new,            \
        .write = s3_upload_write, .commit = s3_upload_commit, .verify = s3_upload_verify, .abort = s3_upload_abort,    \
        .upload_free = s3_upload_free, .abort_token = sink_s3_abort_token, .sweep = sink_s3_sweep                      \
    }

const struct sink_ops SINK_S3 = S3_SINK("s3", sink_s3_open, sink_s3_origin);
const struct sink_ops SINK_OBS = S3_SINK("obs", sink_obs_open, sink_obs_origin);
