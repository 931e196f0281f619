/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of an upload: makes the object visible, once, and compares what the store reports of it with what was sent.
 * An answer can be lost after the store has acted, so every doubtful end is settled by a HEAD of the object.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/s3/s3_upload.h"
#include "store/s3/s3_xml.h"

/* How the object in the store under our key compares with the one sent. */
enum likeness {
    LIKENESS_NONE, /* another object, or none */
    LIKENESS_SIZE, /* of the same size; no digest to compare */
    LIKENESS_FULL  /* a digest agrees, and none differs */
};

/* The first property that differs. */
struct difference {
    const char *what;
    char theirs[S3_ETAG_SIZE], ours[S3_ETAG_SIZE];
};

/* false if both are known and differ. */
static bool agree(const char *what, const char *theirs, const char *ours, enum likeness *likeness, struct difference *d)
{
    if (!*theirs || !*ours)
        return true;
    if (strcasecmp(theirs, ours) == 0) {
        *likeness = LIKENESS_FULL;
        return true;
    }
    d->what = what;
    snprintf(d->theirs, sizeof(d->theirs), "%s", theirs);
    snprintf(d->ours, sizeof(d->ours), "%s", ours);
    *likeness = LIKENESS_NONE;
    return false;
}

/* The ETag that follows from the bytes, where the store's ETags are MD5s; else "". */
static void expected_etag(const struct upload *u, const struct s3_head *head, char out[S3_WHOLE_MAX])
{
    out[0] = '\0';
    if (head->encrypted || u->encrypted)
        return;
    if (u->count == 0 && s3_etag_is_md5(head->etag))
        snprintf(out, S3_WHOLE_MAX, "%s", u->md5);
    else if (u->count > 0 && s3_etag_is_sum(head->etag) && s3_whole_etag(u->part_etags, u->count, out) < 0)
        out[0] = '\0';
}

/* The composite checksum that follows from the parts', and its kind; "" and NONE where the store has confirmed none. */
static enum s3_checksum whole_checksum(const struct upload *u, char out[S3_WHOLE_MAX])
{
    if (u->count > 0 && s3_whole_checksum(u->part_etags, u->count, u->checksum, out) == 0)
        return u->checksum;
    out[0] = '\0';
    return S3_CHECKSUM_NONE;
}

static enum likeness compare(const struct upload *u, const struct whole *w, const struct s3_head *head,
                             struct difference *d)
{
    enum likeness likeness = LIKENESS_SIZE, by_size;
    char etag[S3_WHOLE_MAX], sum[S3_WHOLE_MAX] = "", theirs[24], ours[24];

    snprintf(theirs, sizeof(theirs), "%" PRIu64, head->size);
    snprintf(ours, sizeof(ours), "%" PRIu64, w->size);
    expected_etag(u, head, etag);
    if (strchr(head->checksum, '-'))
        whole_checksum(u, sum);
    if (!agree("size", theirs, ours, &by_size, d) || !agree("SHA-256", head->sha256, w->sha256, &likeness, d) ||
        !agree("checksum", head->checksum, sum, &likeness, d) || !agree("ETag", head->etag, etag, &likeness, d))
        return LIKENESS_NONE;
    /* If no ETag follows from the bytes, the object must still have the one that the store answered with. */
    if (likeness == LIKENESS_SIZE && !agree("ETag", head->etag, u->etag, &likeness, d))
        return LIKENESS_NONE;
    return likeness;
}

static int compare_stored(struct upload *u, const struct whole *w, enum likeness *ret, struct err *e)
{
    struct difference ignored;
    struct s3_head head;
    int r = s3_head(u->s3, &(struct s3_subject){.key = u->object->key, .patience = &u->flight.patience}, &head, e);

    if (r < 0 && r != -FAULT_NO_OBJECT)
        return r;
    *ret = r < 0 ? LIKENESS_NONE : compare(u, w, &head, &ignored);
    return 0;
}

static int fail_exists(struct upload *u, struct err *e)
{
    return s3_fail(u->s3, e, -FAULT_EXISTS, "'%.200s' is there, with other bytes", u->object->key);
}

static int put_single(struct upload *u, const struct whole *w, struct err *e)
{
    struct s3_body body = {.data = u->single->data, .size = u->single->size};
    const bool exclusive = u->object->exclusive;
    struct s3_put put = {.key = u->object->key, .content_type = u->object->content_type, .body = &body, .fresh = true};
    struct s3_confirmation confirmation = {0};
    enum likeness likeness;
    char text[S3_PART_ETAG_MAX];
    int r;

    if (s3_body_sha256(&body) < 0)
        return s3_fail(u->s3, e, -ENOMEM, "out of memory");
    s3_body_md5(&body);
    memcpy(u->md5, body.md5, sizeof(u->md5));
    if (strcasecmp(body.sha256, w->sha256) != 0)
        return s3_fail(u->s3, e, -FAULT_CORRUPT, "'%.200s' changed in memory before it was sent", u->object->key);
    r = s3_put(u->s3, &put, &u->flight.patience, &confirmation, e);
    if (r == -FAULT_EXISTS) {
        if ((r = compare_stored(u, w, &likeness, e)) < 0)
            return r;
        if (likeness != LIKENESS_FULL && exclusive)
            return fail_exists(u, e);
        put.fresh = false;
        if (likeness != LIKENESS_FULL) /* no other process writes this key: an earlier attempt left it */
            r = s3_put(u->s3, &put, &u->flight.patience, &confirmation, e);
    }
    if (r < 0)
        return r;
    u->encrypted = confirmation.encrypted;
    memcpy(u->etag, confirmation.etag.etag, sizeof(u->etag));
    s3_part_etag_format(&confirmation.etag, text);
    upload_flight_give_back(&u->flight, TAKE_PTR(u->single), text);
    return 0;
}

static int complete_once(struct upload *u, const struct buf *body, bool condition, struct http_answer *a, struct err *e)
{
    struct s3_call c = {.method = "POST",
                        .action = "PutObject",
                        .patience = &u->flight.patience,
                        .key = u->object->key,
                        .body = body->data,
                        .body_size = body->size,
                        .patient = true};

    s3_query(&c, "uploadId", u->token);
    s3_header(&c, "Content-Type", "application/xml");
    if (condition)
        s3_header(&c, "If-None-Match", "*");
    return s3_perform(u->s3, s3_http(u->s3), &c, a, e);
}

/* The store no longer knows the upload: an earlier try may have completed it, and its answer was lost. */
static int settle_gone(struct upload *u, const struct whole *w, struct err *e)
{
    struct err first = *e;
    enum likeness likeness;
    int r = compare_stored(u, w, &likeness, e);

    if (r < 0)
        return r;
    if (likeness != LIKENESS_NONE) /* no other process writes this key */
        return 0;
    *e = first;
    return -FAULT_GONE;
}

/* Before the end of an exclusive upload, as stores may ignore the condition there (Ceph's gateway does) or not know it
 * (OBS). 1: the very same object is there. */
static int check_there(struct upload *u, const struct whole *w, struct err *e)
{
    struct difference ignored;
    struct err no_matter;
    struct s3_head head;
    int r = s3_head(u->s3, &(struct s3_subject){.key = u->object->key, .patience = &u->flight.patience}, &head, e);

    if (r == -FAULT_NO_OBJECT || r == -FAULT_DENIED) /* we may write and not read */
        return 0;
    if (r < 0)
        return r;
    if (compare(u, w, &head, &ignored) != LIKENESS_FULL)
        return fail_exists(u, e);
    s3_abort(u->s3, u->object->key, u->token, &u->flight.patience, &no_matter);
    return 1;
}

static int complete(struct upload *u, const struct whole *w, struct err *e)
{
    CLEANUP(buf_done) struct buf body = {0};
    bool condition = true;
    int r = u->object->exclusive ? check_there(u, w, e) : 0;

    if (r != 0)
        return r < 0 ? r : 0;
    if ((r = s3_complete_body(u->part_etags, u->count, &body)) < 0)
        return s3_fail(u->s3, e, r, "cannot list the parts of '%.200s'", u->object->key);
    for (;;) {
        CLEANUP(http_answer_done) struct http_answer a = {0};
        enum likeness likeness = LIKENESS_NONE;
        struct err ignored;
        char etag[72];

        condition = condition && !s3_lacks(u->s3, S3_LACKS_CONDITION);
        r = complete_once(u, &body, condition, &a, e);
        if (r < 0 && s3_learn(u->s3, &a, condition ? 1u << S3_LACKS_CONDITION : 0, &u->flight.patience))
            continue;
        if (r == -FAULT_GONE && s3_answered(u->s3, &a, "InvalidPart")) {
            /* These parts can never be committed: the next attempt must not resume the upload. */
            s3_abort(u->s3, u->object->key, u->token, &u->flight.patience, &ignored);
            return r;
        }
        if (r == -FAULT_GONE)
            return settle_gone(u, w, e);
        if (r == -FAULT_EXISTS && condition) {
            if ((r = compare_stored(u, w, &likeness, e)) < 0)
                return r;
            condition = false;
            if (likeness != LIKENESS_FULL && u->object->exclusive)
                return fail_exists(u, e);
            if (likeness != LIKENESS_FULL)
                continue; /* left by an earlier attempt: see put_single */
            s3_abort(u->s3, u->object->key, u->token, &u->flight.patience, &ignored);
            return 0;
        }
        /* The ETag can be empty, and the answer can be cut short: verify looks at the object anyway. */
        if (r == 0 && s3xml_completed(buf_text(&a.body), a.body.size, etag) == 0 && *etag)
            s3_etag_parse(etag, u->etag);
        return r;
    }
}

static int check_whole(const struct upload *u, const struct whole *w, struct err *e)
{
    for (unsigned i = 0; i < u->count; i++)
        if (!u->part_etags[i])
            return s3_fail(u->s3, e, -EINVAL, "part %u of '%.200s' is missing", i + 1, u->object->key);
    if (u->size != w->size || (u->count == 0 && !u->single))
        return s3_fail(u->s3, e, -EINVAL, "the parts of '%.200s' come to %" PRIu64 " bytes instead of %" PRIu64,
                       u->object->key, u->size, w->size);
    return 0;
}

int s3_upload_commit(struct upload *u, const struct whole *w, struct err *e)
{
    int r;

    upload_pool_drain(u->flight.pool);
    if ((r = upload_flight_result(&u->flight, e)) < 0 || (r = check_whole(u, w, e)) < 0)
        return r;
    return u->single ? put_single(u, w, e) : complete(u, w, e);
}

/* A policy that lets us write and not read (a drop box). The store has checked each body against its signed SHA-256 or
 * its checksum, and answered the whole with its ETag: where that is the one that follows from our bytes, it is the
 * store's confirmation. Sending it again would bring no more. */
static int accept_unseen(struct upload *u, const struct whole *w, struct err *e)
{
    struct s3_head answered = {.size = w->size};
    struct difference d;

    memcpy(answered.etag, u->etag, sizeof(answered.etag));
    if (compare(u, w, &answered, &d) == LIKENESS_NONE)
        return s3_fail(u->s3, e, -FAULT_CORRUPT,
                       "'%.200s' was stored with %s %s instead of %s: it has to be sent again", u->object->key, d.what,
                       d.theirs, d.ours);
    return 1;
}

int s3_upload_verify(struct upload *u, const struct whole *w, bool read, struct err *e)
{
    char sum[S3_WHOLE_MAX];
    struct s3_subject subject = {
        .key = u->object->key, .checksum = whole_checksum(u, sum), .patience = &u->flight.patience};
    struct difference d;
    struct s3_head head;
    int r = read ? s3_head(u->s3, &subject, &head, e) : -FAULT_DENIED;

    if (r == -FAULT_NO_OBJECT)
        return s3_fail(u->s3, e, -FAULT_CORRUPT, "'%.200s' was stored, says the store, but it is not there",
                       u->object->key);
    if (r == -FAULT_DENIED)
        return accept_unseen(u, w, e);
    if (r < 0)
        return r;
    if (compare(u, w, &head, &d) == LIKENESS_NONE)
        return s3_fail(u->s3, e, -FAULT_CORRUPT,
                       "'%.200s' is in the store with %s %s instead of %s: it has to be sent again", u->object->key,
                       d.what, d.theirs, d.ours);
    return 0;
}
