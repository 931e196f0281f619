/* SPDX-License-Identifier: Apache-2.0 */
#include "store/az/az_object.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/ranged_read.h"

const char *az_md5(const void *data, size_t size, char out[AZ_MD5_SIZE])
{
    unsigned char raw[EVP_MAX_MD_SIZE];

    out[0] = '\0';
    if (EVP_Digest(size ? data : "", size, raw, NULL, EVP_md5(), NULL) == 1)
        EVP_EncodeBlock((unsigned char *)out, raw, 16);
    return out;
}

int az_put(struct az *s, const struct az_put *p, const struct request_patience *patience, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    char md5[AZ_MD5_SIZE];
    struct az_call c = {.method = "PUT",
                        .action = AZ_WRITE,
                        .key = p->key,
                        .body = p->data,
                        .body_size = p->size,
                        .creates = true,
                        .readable = p->readable,
                        .patience = patience};

    az_header(&c, "x-ms-blob-type", "BlockBlob");
    az_header(&c, "Content-Type", p->content_type ? p->content_type : "application/octet-stream");
    az_header(&c, "x-ms-meta-sha256", p->sha256);
    az_header(&c, "Content-MD5", *az_md5(p->data, p->size, md5) ? md5 : NULL);
    az_header(&c, "If-None-Match", p->fresh ? "*" : NULL);
    return az_perform(s, az_http(s), &c, &a, e);
}

/* Without quotes. */
static void read_etag(const struct http_answer *a, char etag[static 201])
{
    char text[208];
    size_t size;

    etag[0] = '\0';
    if (!http_header(a, "ETag", text, sizeof(text)))
        return;
    size = strlen(text);
    if (size >= 2 && text[0] == '"' && text[size - 1] == '"')
        snprintf(etag, 201, "%.*s", (int)(size - 2), text + 1);
    else
        snprintf(etag, 201, "%.200s", text);
}

int az_stat(struct az *s, const char *key, const struct request_patience *patience, struct object_info *ret,
            struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    struct az_call c = {.method = "HEAD", .action = AZ_READ, .key = key, .patience = patience};
    struct object_info found = {0};
    char size[32], date[64];
    int r = az_perform(s, az_http(s), &c, &a, e);

    if (r < 0)
        return r;
    if (!http_header(&a, "Content-Length", size, sizeof(size)) || text_parse_uint(size, INT64_MAX, &found.size) < 0)
        return az_fail(e, -FAULT_FORMAT, "HEAD of '%.200s' was answered without a size: check --endpoint", key);
    if (http_header(&a, "Last-Modified", date, sizeof(date)))
        (void)clock_parse_http(date, &found.modified_ns); /* stays 0 if malformed */
    read_etag(&a, found.etag);
    http_header(&a, "x-ms-meta-sha256", found.sha256, sizeof(found.sha256));
    *ret = found;
    return 0;
}

int az_remove(struct az *s, const char *key, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    struct az_call c = {.method = "DELETE", .action = AZ_DELETE, .key = key};
    int r = az_perform(s, az_http(s), &c, &a, e);

    return r == -FAULT_NO_OBJECT ? 0 : r;
}

/* A blob in a store, and the connection to it. */
struct subject {
    struct az *s;
    struct http *http;
    const char *key;
};

static int get(void *ctx, const struct ranged_request *r, struct http_answer *answer, struct err *e)
{
    const struct subject *x = ctx;
    struct az_call c = {.method = "GET", .action = AZ_READ, .key = x->key, .write = r->write, .write_ctx = r->ctx};

    az_header(&c, "Range", r->range);
    az_header(&c, "If-Match", r->match);
    return az_once(x->s, x->http, &c, answer, e);
}

int az_read(struct az *s, const struct object_reader *reader, struct err *e)
{
    struct subject subject = {s, az_http(s), reader->key};
    struct ranged_source source = {.name = "az", .get = get, .ctx = &subject};
    struct object_reader whole = *reader;
    struct object_info info;
    int r;

    assert(reader->key && reader->fn);
    if (!reader->known) {
        if ((r = az_stat(s, reader->key, NULL, &info, e)) < 0)
            return r;
        whole.known = &info;
    }
    return ranged_read(&source, &whole, e);
}

int az_load(struct az *s, struct http *h, const char *key, struct buf *ret, struct err *e)
{
    struct subject subject = {s, h, key};
    struct ranged_source source = {.name = "az", .get = get, .ctx = &subject};

    return ranged_load(&source, key, ret, e);
}
