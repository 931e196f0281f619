/* SPDX-License-Identifier: Apache-2.0
 *
 * Azure's Blob storage as a sink. Its parts: az_store (where it is, credentials), az_call (one request), az_object and
 * az_list (blobs), az_upload (an object as blocks), az_xml and az_error (answers).
 */
#include "base/mem.h"
#include "net/cred_ask.h"
#include "store/az/az_object.h"
#include "store/az/az_upload.h"
#include "store/readback.h"

static struct az *az_of(struct sink *s)
{
    return (struct az *)s;
}

static int sink_az_open(const struct sink_config *c, struct sink **ret, struct err *e)
{
    struct az *s;
    int r = az_open(c, &s, e);

    if (r == 0)
        *ret = (struct sink *)s;
    return r;
}

static int sink_az_share(struct sink *of, struct sink **ret, struct err *e)
{
    struct az *s;
    int r = az_share(az_of(of), &s, e);

    if (r == 0)
        *ret = (struct sink *)s;
    return r;
}

static void sink_az_close(struct sink *s)
{
    az_close(az_of(s));
}

static int sink_az_probe(struct sink *s, const char *key, struct err *e)
{
    return az_upload_probe(az_of(s), key, e);
}

static int sink_az_stat(struct sink *s, const char *key, struct object_info *ret, struct err *e)
{
    return az_stat(az_of(s), key, NULL, ret, e);
}

static int sink_az_put(struct sink *s, const struct small_object *o, struct err *e)
{
    struct az_put put = {
        .key = o->key, .content_type = o->content_type, .data = o->data, .size = o->size, .readable = true};
    struct readback digest = {0};
    char sha256[65];
    int r = readback_init(&digest);

    if (r == 0 && (r = readback_add(&digest, o->data, o->size)) == 0)
        r = readback_hex(&digest, sha256);
    readback_done(&digest);
    put.sha256 = sha256;
    return r < 0 ? az_fail(e, r, "out of memory") : az_put(az_of(s), &put, NULL, e);
}

static int sink_az_remove(struct sink *s, const char *key, struct err *e)
{
    return az_remove(az_of(s), key, e);
}

static int sink_az_list(struct sink *s, const char *prefix,
                        int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e)
{
    return az_list(az_of(s), &(struct az_list){.prefix = prefix, .fn = fn, .ctx = ctx}, e);
}

static int sink_az_list_folder(struct sink *s, const char *folder,
                               int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e)
{
    return az_list(az_of(s), &(struct az_list){.prefix = folder, .folder = true, .fn = fn, .ctx = ctx}, e);
}

static int sink_az_read(struct sink *s, const struct object_reader *reader, struct err *e)
{
    return az_read(az_of(s), reader, e);
}

static int sink_az_load(struct sink *s, void **connection, const char *key, struct buf *ret, struct err *e)
{
    struct http *h = *connection;
    int r = h ? 0 : az_http_new(az_of(s), &h, e);

    *connection = h;
    return r < 0 ? r : az_load(az_of(s), h, key, ret, e);
}

static void sink_az_load_end(void *connection)
{
    http_free(connection);
}

static int sink_az_upload_new(struct sink *s, const struct upload_start *start, struct upload **ret, struct err *e)
{
    return az_upload_new(az_of(s), start, ret, e);
}

/* Nothing is to be aborted or swept: blocks that are never listed go by themselves. */
const struct sink_ops SINK_AZ = {
    .name = "az",
    .part_min = 1,
    .part_max = AZ_BLOCK_MAX,
    .parts_max = AZ_BLOCKS_MAX,
    .resumes = true,
    .open = sink_az_open,
    .origin = az_origin_of,
    .close = sink_az_close,
    .share = sink_az_share,
    .probe = sink_az_probe,
    .stat = sink_az_stat,
    .put = sink_az_put,
    .remove = sink_az_remove,
    .list = sink_az_list,
    .list_folder = sink_az_list_folder,
    .read = sink_az_read,
    .load = sink_az_load,
    .load_end = sink_az_load_end,
    .upload_new = sink_az_upload_new,
    .write = az_upload_write,
    .commit = az_upload_commit,
    .verify = az_upload_verify,
    .abort = az_upload_abort,
    .upload_free = az_upload_free,
};
