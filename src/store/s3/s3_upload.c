/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploads parts: each thread of the pool has its connection, and hashes, sends, checks and retries one part at a time.
 * The first failure stays and stops the rest; parts finished before it are in the journal.
 */
#include "store/s3/s3_upload.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

static int no_memory(const struct upload *u, struct err *e)
{
    return s3_fail(u->s3, e, -ENOMEM, "out of memory");
}

/* Over TLS a cheap checksum is enough once the store has shown that it compares it; or OBS's Content-MD5. Without TLS
 * only the signature keeps others from changing the bytes. */
static struct s3_protection protection(const struct upload *u, struct s3_body *body)
{
    struct s3_protection p = {.checksum = s3_lacks(u->s3, S3_LACKS_CHECKSUM) ? S3_CHECKSUM_NONE : u->checksum};

    if (s3_has_tls(u->s3) && !s3_lacks(u->s3, S3_LACKS_UNSIGNED))
        p.is_unsigned = s3_dialect(u->s3)->send_md5 ? *s3_body_md5(body) != '\0'
                                                    : p.checksum == S3_CHECKSUM_CRC32C && atomic_load(&u->checks);
    return p;
}

static void note_encryption(struct upload *u)
{
    pthread_mutex_lock(&u->flight.lock);
    u->encrypted = true;
    pthread_mutex_unlock(&u->flight.lock);
}

/* On a thread of the pool: one part, until the store has confirmed it or another try would not help. */
static int send_part(struct upload *u, struct http *h, const struct part *p, struct s3_part_etag *ret, struct err *e)
{
    struct s3_body body = {.data = p->data, .size = p->size};
    char number[12];

    snprintf(number, sizeof(number), "%u", p->number);
    for (;;) {
        CLEANUP(http_answer_done) struct http_answer a = {0};
        struct s3_protection by = protection(u, &body);
        struct s3_confirmation confirmation = {
            .s3 = u->s3, .body = &body, .checksum = by.checksum, .key = u->object->key};
        struct s3_call c = {.method = "PUT",
                            .action = "PutObject",
                            .patience = &u->flight.patience,
                            .key = u->object->key,
                            .check = s3_confirm,
                            .check_ctx = &confirmation};
        int r;

        s3_query(&c, "partNumber", number);
        s3_query(&c, "uploadId", u->token);
        if ((r = s3_send_body(u->s3, &c, &body, &by, e)) < 0)
            return r;
        r = s3_perform(u->s3, h, &c, &a, e);
        if (r < 0 && s3_learn(u->s3, &a, s3_protection_lacks(&by), &u->flight.patience))
            continue;
        if (r < 0)
            return r;
        if (by.is_unsigned && by.checksum != S3_CHECKSUM_NONE && confirmation.etag.checksum == S3_CHECKSUM_NONE) {
            atomic_store(&u->checks, false); /* it does not compare the checksum after all: sign the body */
            continue;
        }
        if (confirmation.etag.checksum != S3_CHECKSUM_NONE)
            atomic_store(&u->checks, true);
        if (confirmation.encrypted)
            note_encryption(u);
        *ret = confirmation.etag;
        return 0;
    }
}

static int set_part_etag(struct upload *u, unsigned number, const char *text, struct err *e)
{
    char *copy = strdup(text);

    if (!copy)
        return no_memory(u, e);
    pthread_mutex_lock(&u->flight.lock);
    u->part_etags[number - 1] = copy;
    pthread_mutex_unlock(&u->flight.lock);
    return 0;
}

static int connect_again(void *ctx, struct http **ret, struct err *e)
{
    const struct upload *u = ctx;

    return s3_http_new(u->s3, ret, e);
}

static int send_and_note(void *ctx, struct http *h, const struct part *p, char etag[static UPLOAD_ETAG_MAX],
                         struct err *e)
{
    struct upload *u = ctx;
    struct s3_part_etag found;
    int r = send_part(u, h, p, &found, e);

    return r < 0 ? r : set_part_etag(u, p->number, s3_part_etag_format(&found, etag), e);
}

static const struct upload_flight_ops FLIGHT = {.connect = connect_again, .send = send_and_note};

static int make_room(struct upload *u, unsigned count, struct err *e)
{
    size_t before = u->capacity;
    int r;

    pthread_mutex_lock(&u->flight.lock);
    r = array_reserve(&u->part_etags, count, &u->capacity, sizeof(*u->part_etags), S3_PARTS_MAX);
    if (r == 0 && u->capacity > before)
        memset(u->part_etags + before, 0, (u->capacity - before) * sizeof(*u->part_etags));
    pthread_mutex_unlock(&u->flight.lock);
    return r < 0 ? no_memory(u, e) : 0;
}

static int create(struct upload *u, struct err *e)
{
    struct s3_begun begun = {.token = NULL};
    int r = s3_begin(u->s3, u->object, &u->flight.patience, &begun, e);

    if (r < 0)
        return r;
    u->token = begun.token;
    u->checksum = begun.checksum;
    atomic_store(&u->checks, begun.checks);
    upload_flight_token(&u->flight, u->token);
    return 0;
}

/* The first of many parts begins the upload; an only one waits for commit. */
static int take_part(void *ctx, struct part *p, struct err *e)
{
    struct upload *u = ctx;
    int r;

    if (p->number != u->count + 1 || p->number > S3_PARTS_MAX || u->single || (!p->last && p->size < S3_PART_MIN))
        return s3_fail(u->s3, e, -EINVAL, "part %u of '%.200s' is out of order or too small", p->number,
                       u->object->key);
    if (p->number == 1 && p->last && !u->token) {
        u->single = p;
        u->size = p->size;
        return 0;
    }
    if ((!u->token && (r = create(u, e)) < 0) || (r = make_room(u, p->number, e)) < 0)
        return r;
    if (p->size == 0) { /* nothing to send: the object ends with the part before */
        upload_flight_give_back(&u->flight, p, "empty");
        return 0;
    }
    r = upload_pool_put(u->flight.pool, p);
    if (r < 0)
        return r == -ECANCELED ? r : s3_fail(u->s3, e, r, "cannot start a thread: %s", strerror(-r));
    u->size += p->size;
    u->count++;
    return 0;
}

int s3_upload_write(struct upload *u, struct part *p, struct err *e)
{
    return upload_flight_write(&u->flight, p, take_part, e);
}

/* Whether the store still knows the upload, before megabytes are sent. */
static int ask_for_upload(struct upload *u, struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer a = {0};
    struct s3_call c = {
        .method = "GET", .action = "ListMultipartUploadParts", .patience = &u->flight.patience, .key = u->object->key};
    int r;

    s3_query(&c, "uploadId", u->token);
    s3_query(&c, "max-parts", "1");
    r = s3_perform(u->s3, s3_http(u->s3), &c, &a, e);
    /* The permission to write may not include this request; commit will show. */
    return r == -FAULT_DENIED || r == -FAULT_REFUSED ? 0 : r;
}

static int take_up(struct upload *u, const struct upload_past *past, struct err *e)
{
    struct s3_part_etag part;
    int r;

    if (!past->token || !*past->token || past->count > S3_PARTS_MAX)
        return s3_fail(u->s3, e, -FAULT_GONE, "nothing was left of the upload of '%.200s'", u->object->key);
    if (!(u->token = strdup(past->token)))
        return no_memory(u, e);
    if ((r = make_room(u, past->count, e)) < 0)
        return r;
    for (unsigned i = 0; i < past->count; i++) {
        if (s3_part_etag_parse(past->etags[i], &part) < 0)
            return s3_fail(u->s3, e, -FAULT_GONE, "the journal of '%.200s' is of no use: part %u has no ETag",
                           u->object->key, i + 1);
        if ((r = set_part_etag(u, i + 1, past->etags[i], e)) < 0)
            return r;
        if (part.checksum != S3_CHECKSUM_NONE) { /* what the upload was begun with */
            u->checksum = part.checksum;
            atomic_store(&u->checks, true);
        }
        u->size += past->sizes[i];
    }
    u->count = past->count;
    return past->at_end ? 0 : ask_for_upload(u, e);
}

DEFINE_CLEANUP(struct upload *, s3_upload_free)

int s3_upload_new(struct s3 *s, const struct upload_start *start, struct upload **ret, struct err *e)
{
    CLEANUP(s3_upload_free_ptr) struct upload *u = calloc(1, sizeof(*u));
    int r;

    assert(start->object && start->object->key);
    if (!u)
        return s3_fail(s, e, -ENOMEM, "out of memory");
    u->s3 = s;
    u->object = start->object;
    u->checksum = S3_CHECKSUM_SHA256;
    u->flight = (struct upload_flight){.ops = &FLIGHT, .ctx = u, .events = start->events};
    if (upload_flight_init(&u->flight, s3_uploads(s)) < 0)
        return no_memory(u, e);
    if (start->past && (r = take_up(u, start->past, e)) < 0)
        return r;
    *ret = TAKE_PTR(u);
    return 0;
}

void s3_upload_abort(struct upload *u)
{
    struct err ignored, aborted;

    upload_flight_fail(&u->flight,
                       s3_fail(u->s3, &aborted, -ECANCELED, "the upload of '%.200s' was aborted", u->object->key),
                       &aborted);
    upload_pool_drain(u->flight.pool); /* a part that arrives after the abort would stay for ever */
    if (u->token)
        s3_abort(u->s3, u->object->key, u->token, &u->flight.patience, &ignored);
}

void s3_upload_free(struct upload *u)
{
    if (!u)
        return;
    upload_flight_done(&u->flight, u->single);
    for (size_t i = 0; i < u->capacity; i++)
        free(u->part_etags[i]);
    free(u->part_etags);
    free(u->token);
    free(u);
}
