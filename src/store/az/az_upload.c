/* SPDX-License-Identifier: Apache-2.0
 *
 * The ids of an upload's blocks follow from its token and their numbers, so a resume needs to know no more. All ids of
 * a blob must be of the same length. Each thread of the pool has its connection, and sends one block at a time. The
 * first failure stays and stops the rest.
 */
#include "store/az/az_upload.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/az/az_object.h"
#include "store/az/az_xml.h"
#include "store/readback.h"
#include "store/upload_flight.h"

enum {
    TOKEN_SIZE = 17, /* 16 hex digits */
    ID_SIZE = 33     /* base64 of the token, '-' and a number of 7 digits: 24 bytes */
};

struct upload {
    struct az *s;
    const struct object *object; /* the caller's */
    struct upload_flight flight;

    /* The caller's thread alone. */
    char token[TOKEN_SIZE]; /* "" before the first of several parts */
    struct part *single;    /* a small object, held back until commit: it would be visible at once */
    uint64_t size;          /* bytes in parts so far */
    unsigned count;         /* parts so far, without an empty last one */
};

static const char *block_id(const char *token, unsigned number, char out[ID_SIZE])
{
    char text[32];
    int size = snprintf(text, sizeof(text), "%s-%07u", token, number);

    assert(size == 24);
    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, size);
    return out;
}

/* --- blocks ---------------------------------------------------------------------------------------------------------
 */

static int put_block(struct az *s, struct http *h, struct az_call *c, const char *id, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    char md5[AZ_MD5_SIZE];

    c->method = "PUT";
    c->action = AZ_WRITE;
    az_query(c, "comp", "block");
    az_query(c, "blockid", id);
    az_header(c, "Content-MD5", *az_md5(c->body, c->body_size, md5) ? md5 : NULL);
    return az_perform(s, h, c, &a, e);
}

static int connect_again(void *ctx, struct http **ret, struct err *e)
{
    const struct upload *u = ctx;

    return az_http_new(u->s, ret, e);
}

static int send_part(void *ctx, struct http *h, const struct part *p, char etag[static UPLOAD_ETAG_MAX], struct err *e)
{
    struct upload *u = ctx;
    struct az_call c = {.key = u->object->key, .body = p->data, .body_size = p->size, .patience = &u->flight.patience};

    return put_block(u->s, h, &c, block_id(u->token, p->number, etag), e);
}

static const struct upload_flight_ops FLIGHT = {.connect = connect_again, .send = send_part};

static int give_up(void *ctx, const struct err *trouble, uint64_t delay_ms)
{
    (void)ctx, (void)trouble, (void)delay_ms;
    return -ECANCELED;
}

int az_upload_probe(struct az *s, const char *key, struct err *e)
{
    const struct request_patience once = {.wait = give_up};
    struct az_call c = {.key = key, .body = "", .body_size = 1, .patience = &once};
    char id[ID_SIZE];

    return put_block(s, az_http(s), &c, block_id("0000000000000000", 0, id), e);
}

/* --- parts ----------------------------------------------------------------------------------------------------------
 */

static int begin(struct upload *u, struct err *e)
{
    unsigned char raw[8];

    if (RAND_bytes(raw, sizeof(raw)) != 1)
        return az_fail(e, -ENOMEM, "no random bytes");
    text_hex(raw, sizeof(raw), u->token);
    upload_flight_token(&u->flight, u->token);
    return 0;
}

static int take_part(void *ctx, struct part *p, struct err *e)
{
    struct upload *u = ctx;
    int r;

    if (p->number != u->count + 1 || p->number > AZ_BLOCKS_MAX || u->single)
        return az_fail(e, -EINVAL, "part %u of '%.200s' is out of order", p->number, u->object->key);
    if (p->number == 1 && p->last && !*u->token) {
        u->single = p;
        u->size = p->size;
        return 0;
    }
    if (!*u->token && (r = begin(u, e)) < 0)
        return r;
    if (p->size == 0) { /* nothing to send: the object ends with the part before */
        upload_flight_give_back(&u->flight, p, "empty");
        return 0;
    }
    r = upload_pool_put(u->flight.pool, p);
    if (r < 0)
        return r == -ECANCELED ? r : az_fail(e, r, "cannot start a thread: %s", strerror(-r));
    u->size += p->size;
    u->count++;
    return 0;
}

int az_upload_write(struct upload *u, struct part *p, struct err *e)
{
    return upload_flight_write(&u->flight, p, take_part, e);
}

/* --- resume ---------------------------------------------------------------------------------------------------------
 */

static bool has_block(const struct az_listing *l, const char *id, uint64_t size)
{
    for (size_t i = 0; i < l->count; i++)
        if (text_eq(l->entry[i].name, id))
            return l->entry[i].size == size;
    return false;
}

static int fail_gone(const struct upload *u, struct err *e)
{
    return az_fail(e, -FAULT_GONE, "nothing was left of the upload of '%.200s'", u->object->key);
}

/* Whether the blocks are still there, before megabytes are sent. */
static int check_blocks(struct upload *u, const struct upload_past *past, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    CLEANUP(az_listing_done) struct az_listing l = {0};
    struct az_call c = {.method = "GET", .action = AZ_READ, .key = u->object->key, .patience = &u->flight.patience};
    char id[ID_SIZE];
    int r;

    az_query(&c, "comp", "blocklist");
    az_query(&c, "blocklisttype", "uncommitted");
    r = az_perform(u->s, az_http(u->s), &c, &a, e);
    if (r == -FAULT_NO_OBJECT)
        return fail_gone(u, e);
    if (r == -FAULT_DENIED) /* we may write and not read; commit will show */
        return 0;
    if (r < 0)
        return r;
    if ((r = az_xml_uncommitted_blocks(buf_text(&a.body), a.body.size, &l)) < 0)
        return az_fail(e, r == -ENOMEM ? r : -FAULT_FORMAT, "the list of blocks of '%.200s' is not one",
                       u->object->key);
    for (unsigned i = 0; i < past->count; i++)
        if (!has_block(&l, block_id(u->token, i + 1, id), past->sizes[i]))
            return fail_gone(u, e);
    return 0;
}

static int take_up(struct upload *u, const struct upload_past *past, struct err *e)
{
    if (!past->token || strlen(past->token) != TOKEN_SIZE - 1 || past->count > AZ_BLOCKS_MAX)
        return fail_gone(u, e);
    memcpy(u->token, past->token, TOKEN_SIZE);
    for (unsigned i = 0; i < past->count; i++)
        u->size += past->sizes[i];
    u->count = past->count;
    return past->at_end ? 0 : check_blocks(u, past, e);
}

DEFINE_CLEANUP(struct upload *, az_upload_free)

int az_upload_new(struct az *s, const struct upload_start *start, struct upload **ret, struct err *e)
{
    CLEANUP(az_upload_free_ptr) struct upload *u = calloc(1, sizeof(*u));
    int r;

    assert(start->object && start->object->key);
    if (!u)
        return az_fail(e, -ENOMEM, "out of memory");
    u->s = s;
    u->object = start->object;
    u->flight = (struct upload_flight){.ops = &FLIGHT, .ctx = u, .events = start->events};
    if (upload_flight_init(&u->flight, az_uploads(s)) < 0)
        return az_fail(e, -ENOMEM, "out of memory");
    if (start->past && (r = take_up(u, start->past, e)) < 0)
        return r;
    *ret = TAKE_PTR(u);
    return 0;
}

/* --- the end --------------------------------------------------------------------------------------------------------
 */

/* 1: the very same object is there; 0: another one, or none. */
static int is_there(struct upload *u, const struct whole *w, struct err *e)
{
    struct object_info info;
    int r = az_stat(u->s, u->object->key, &u->flight.patience, &info, e);

    if (r == -FAULT_NO_OBJECT)
        return 0;
    return r < 0 ? r : info.size == w->size && strcasecmp(info.sha256, w->sha256) == 0;
}

/* The first failure is what counts, unless the object is there all the same: an earlier try's answer was lost. */
static int settle(struct upload *u, const struct whole *w, int result, struct err *e)
{
    struct err first = *e;
    int r = is_there(u, w, e);

    if (r > 0)
        return 0;
    if (r < 0)
        return r;
    *e = first;
    return result;
}

static int put_single(struct upload *u, const struct whole *w, struct err *e)
{
    struct az_put put = {.key = u->object->key,
                         .content_type = u->object->content_type,
                         .data = u->single->data,
                         .size = u->single->size,
                         .sha256 = w->sha256,
                         .fresh = u->object->exclusive};
    struct readback check = {0};
    int r = readback_init(&check);

    if (r == 0 && (r = readback_add(&check, put.data, put.size)) == 0)
        r = readback_same(&check, w, u->object->key, e);
    readback_done(&check);
    if (r == -ENOMEM)
        return az_fail(e, r, "out of memory");
    if (r < 0)
        return r;
    r = az_put(u->s, &put, &u->flight.patience, e);
    if (r == -FAULT_EXISTS)
        r = settle(u, w, r, e);
    if (r == 0)
        upload_flight_give_back(&u->flight, TAKE_PTR(u->single), "put");
    return r;
}

/* A block that an earlier try has put into the blob counts, too: Latest. */
static int make_list(const struct upload *u, struct buf *ret)
{
    char id[ID_SIZE];
    int r = buf_add_text(ret, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<BlockList>\n");

    for (unsigned i = 1; i <= u->count && r == 0; i++)
        r = buf_printf(ret, "<Latest>%s</Latest>\n", block_id(u->token, i, id));
    return r == 0 ? buf_add_text(ret, "</BlockList>\n") : r;
}

static int put_list(struct upload *u, const struct whole *w, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    CLEANUP(buf_done) struct buf list = {0};
    struct az_call c = {
        .method = "PUT", .action = AZ_WRITE, .key = u->object->key, .creates = true, .patience = &u->flight.patience};
    const char *type = u->object->content_type;
    char md5[AZ_MD5_SIZE];
    int r = make_list(u, &list);

    if (r < 0)
        return az_fail(e, r, "cannot list the parts of '%.200s'", u->object->key);
    c.body = list.data;
    c.body_size = list.size;
    az_query(&c, "comp", "blocklist");
    az_header(&c, "Content-Type", "application/xml");
    az_header(&c, "Content-MD5", *az_md5(list.data, list.size, md5) ? md5 : NULL);
    az_header(&c, "x-ms-blob-content-type", type ? type : "application/octet-stream");
    az_header(&c, "x-ms-meta-sha256", w->sha256);
    az_header(&c, "If-None-Match", u->object->exclusive ? "*" : NULL);
    r = az_perform(u->s, az_http(u->s), &c, &a, e);
    return r == -FAULT_GONE || r == -FAULT_EXISTS ? settle(u, w, r, e) : r;
}

int az_upload_commit(struct upload *u, const struct whole *w, struct err *e)
{
    int r;

    upload_pool_drain(u->flight.pool);
    if ((r = upload_flight_result(&u->flight, e)) < 0)
        return r;
    if (u->size != w->size || (u->count == 0 && !u->single))
        return az_fail(e, -EINVAL, "the parts of '%.200s' come to %" PRIu64 " bytes instead of %" PRIu64,
                       u->object->key, u->size, w->size);
    return u->single ? put_single(u, w, e) : put_list(u, w, e);
}

int az_upload_verify(struct upload *u, const struct whole *w, bool read, struct err *e)
{
    struct object_info info;
    int r = read ? az_stat(u->s, u->object->key, &u->flight.patience, &info, e) : -FAULT_DENIED;

    if (r == -FAULT_DENIED) /* the service has compared every body with its MD5, and taken the list of all */
        return 1;
    if (r == -FAULT_NO_OBJECT)
        return az_fail(e, -FAULT_CORRUPT, "'%.200s' was stored, says the store, but it is not there", u->object->key);
    if (r < 0)
        return r;
    if (info.size != w->size || strcasecmp(info.sha256, w->sha256) != 0)
        return az_fail(e, -FAULT_CORRUPT,
                       "'%.200s' is in the store with %" PRIu64 " bytes and SHA-256 %.64s instead of %" PRIu64
                       " and %.64s: it has to be sent again",
                       u->object->key, info.size, *info.sha256 ? info.sha256 : "(none)", w->size, w->sha256);
    return 0;
}

void az_upload_abort(struct upload *u)
{
    struct err aborted;

    upload_flight_fail(&u->flight, az_fail(&aborted, -ECANCELED, "the upload of '%.200s' was aborted", u->object->key),
                       &aborted);
    upload_pool_drain(u->flight.pool);
}

void az_upload_free(struct upload *u)
{
    if (!u)
        return;
    upload_flight_done(&u->flight, u->single);
    free(u);
}
