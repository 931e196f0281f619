/* SPDX-License-Identifier: Apache-2.0
 *
 * Each answer is a function that knows a few paths. Judges no answer: a status code is the caller's business.
 */
#include "store/s3/s3_xml.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/xml_walk.h"

enum {
    ENTRIES_MAX = 10000,
    ETAG_MAX = 72,
};

/* A second element of the same name replaces the first. */
static int keep(char **field, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

/* An empty marker is none. */
static int keep_marker(char **field, const char *text)
{
    return *text ? keep(field, text) : 0;
}

static void keep_etag(char etag[ETAG_MAX], const char *text)
{
    size_t size = strlen(text);

    if (size >= 2 && text[0] == '"' && text[size - 1] == '"') {
        text++;
        size -= 2;
    }
    if (size >= ETAG_MAX)
        size = 0;
    memcpy(etag, text, size);
    etag[size] = '\0';
}

static int error_element(void *ctx, const char *path, const char *text)
{
    struct s3_error *e = ctx;

    if (text_eq(path, "/Error/Code"))
        text_printable(text, e->code, sizeof(e->code));
    else if (text_eq(path, "/Error/Message"))
        text_printable(text, e->message, sizeof(e->message));
    else if (text_eq(path, "/Error/RequestId"))
        text_printable(text, e->request_id, sizeof(e->request_id));
    else if (text_eq(path, "/Error/Region"))
        text_printable(text, e->region, sizeof(e->region));
    return 0;
}

int s3xml_error(const char *xml, size_t size, struct s3_error *ret)
{
    struct s3_error e = {0};
    int r = xml_walk(xml, size, "Error", error_element, &e);

    if (r == 0 && !e.code[0])
        r = -EBADMSG;
    if (r == 0)
        *ret = e;
    return r;
}

static int upload_id_element(void *ctx, const char *path, const char *text)
{
    return text_eq(path, "/InitiateMultipartUploadResult/UploadId") ? keep(ctx, text) : 0;
}

int s3xml_upload_id(const char *xml, size_t size, char **ret)
{
    CLEANUP_FREE char *id = NULL;
    int r = xml_walk(xml, size, "InitiateMultipartUploadResult", upload_id_element, &id);

    if (r < 0)
        return r;
    if (!id || !*id)
        return -EBADMSG;
    *ret = TAKE_PTR(id);
    return 0;
}

static int completed_element(void *ctx, const char *path, const char *text)
{
    if (text_eq(path, "/CompleteMultipartUploadResult/ETag"))
        keep_etag(ctx, text);
    return 0;
}

int s3xml_completed(const char *xml, size_t size, char etag[ETAG_MAX])
{
    char found[ETAG_MAX] = "";
    int r = xml_walk(xml, size, "CompleteMultipartUploadResult", completed_element, found);

    if (r == 0)
        memcpy(etag, found, sizeof(found));
    return r;
}

/* Listings: fields gather in current until its element ends. */
struct lister {
    struct s3_listing listing;
    struct s3_entry current;
    size_t capacity;
};

static void entry_done(struct s3_entry *e)
{
    free(e->key);
    free(e->upload_id);
    *e = (struct s3_entry){0};
}

static void lister_done(struct lister *l)
{
    entry_done(&l->current);
    s3_listing_done(&l->listing);
}

static int end_entry(struct lister *l, bool complete)
{
    int r;

    if (!complete)
        return -EBADMSG;
    r = array_reserve(&l->listing.entry, l->listing.count + 1, &l->capacity, sizeof(*l->listing.entry), ENTRIES_MAX);
    if (r < 0)
        return r == -E2BIG ? -EBADMSG : r;
    l->listing.entry[l->listing.count++] = l->current;
    l->current = (struct s3_entry){0};
    return 0;
}

static int bad_number(int r)
{
    return r < 0 ? -EBADMSG : 0;
}

static int object_element(void *ctx, const char *path, const char *text)
{
    struct lister *l = ctx;

    if (text_eq(path, "/ListBucketResult/Contents/Key") || text_eq(path, "/ListBucketResult/CommonPrefixes/Prefix"))
        return keep(&l->current.key, text);
    if (text_eq(path, "/ListBucketResult/Contents/Size"))
        return bad_number(text_parse_uint(text, INT64_MAX, &l->current.size));
    if (text_eq(path, "/ListBucketResult/Contents/LastModified"))
        return bad_number(clock_parse(text, &l->current.time_ns));
    if (text_eq(path, "/ListBucketResult/Contents/ETag"))
        keep_etag(l->current.etag, text);
    else if (text_eq(path, "/ListBucketResult/Contents") || text_eq(path, "/ListBucketResult/CommonPrefixes"))
        return end_entry(l, l->current.key && *l->current.key);
    else if (text_eq(path, "/ListBucketResult/IsTruncated"))
        l->listing.truncated = text_eq(text, "true");
    else if (text_eq(path, "/ListBucketResult/NextContinuationToken") || text_eq(path, "/ListBucketResult/NextMarker"))
        return keep_marker(&l->listing.next, text);
    return 0;
}

/* A sweep aborts what is old: an upload without a date is malformed. */
static int upload_element(void *ctx, const char *path, const char *text)
{
    struct lister *l = ctx;
    const struct s3_entry *u = &l->current;

    if (text_eq(path, "/ListMultipartUploadsResult/Upload/Key"))
        return keep(&l->current.key, text);
    if (text_eq(path, "/ListMultipartUploadsResult/Upload/UploadId"))
        return keep(&l->current.upload_id, text);
    if (text_eq(path, "/ListMultipartUploadsResult/Upload/Initiated"))
        return bad_number(clock_parse(text, &l->current.time_ns));
    if (text_eq(path, "/ListMultipartUploadsResult/Upload"))
        return end_entry(l, u->key && *u->key && u->upload_id && *u->upload_id && u->time_ns);
    if (text_eq(path, "/ListMultipartUploadsResult/IsTruncated"))
        l->listing.truncated = text_eq(text, "true");
    else if (text_eq(path, "/ListMultipartUploadsResult/NextKeyMarker"))
        return keep_marker(&l->listing.next, text);
    else if (text_eq(path, "/ListMultipartUploadsResult/NextUploadIdMarker"))
        return keep_marker(&l->listing.next_upload_id, text);
    return 0;
}

static int walk_listing(const char *xml, size_t size, const char *root, xml_element_fn element, struct s3_listing *ret)
{
    CLEANUP(lister_done) struct lister l = {0};
    int r = xml_walk(xml, size, root, element, &l);

    if (r < 0)
        return r;
    /* "More", but not from where: the caller would ask for the same page for ever. */
    if (l.listing.truncated && !l.listing.next)
        return -EBADMSG;
    *ret = l.listing;
    l.listing = (struct s3_listing){0};
    return 0;
}

int s3xml_objects(const char *xml, size_t size, struct s3_listing *ret)
{
    return walk_listing(xml, size, "ListBucketResult", object_element, ret);
}

int s3xml_uploads(const char *xml, size_t size, struct s3_listing *ret)
{
    return walk_listing(xml, size, "ListMultipartUploadsResult", upload_element, ret);
}

void s3_listing_done(struct s3_listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        entry_done(&l->entry[i]);
    free(l->entry);
    free(l->next);
    free(l->next_upload_id);
    *l = (struct s3_listing){0};
}
