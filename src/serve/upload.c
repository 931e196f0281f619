/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT and POST of an object in one request, and MKCOL. The bytes go into a file that only its end gives a name to: a
 * connection that breaks leaves nothing behind. An object that is there is replaced only for who may delete it; the
 * same bytes once more are no failure, as a client that lost our answer sends them again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/route.h"
#include "serve/upload_finish.h"
#include "serve/upload_resume.h"

/* The route's own state. */
struct single_upload {
    struct incoming incoming;
    struct upload_digests digests;
    bool replace;
};

static void upload_free(void *state)
{
    struct single_upload *u = state;

    incoming_done(&u->incoming, true);
    upload_digests_done(&u->digests);
    free(u);
}

/* Nothing is left once the client knows, and others need the room. */
static int fail(struct request *r, struct single_upload *u, int result, const struct err *e)
{
    incoming_done(&u->incoming, true);
    upload_answer_failed(r, r->key, result, e);
    return -ECANCELED;
}

static int take(struct exchange *x, const void *data, size_t size)
{
    struct request *r = exchange_state(x);
    struct single_upload *u = r->state;
    struct err e = {0};
    int result;

    upload_digests_add(&u->digests, data, size);
    result = incoming_write(&u->incoming, data, size, &e);
    return result < 0 ? fail(r, u, result, &e) : 0;
}

static void *space(struct exchange *x, size_t *size)
{
    struct single_upload *u = ((struct request *)exchange_state(x))->state;

    return incoming_space(&u->incoming, size);
}

static void idle(struct exchange *x)
{
    struct single_upload *u = ((struct request *)exchange_state(x))->state;
    struct err ignored;

    (void)incoming_rest(&u->incoming, &ignored); /* the next write says it again */
}

static void end(struct exchange *x)
{
    struct request *r = exchange_state(x);
    struct single_upload *u = r->state;
    const struct incoming_target target = {r->key, u->replace};
    struct upload_result stored;
    struct err e = {0};
    int result = upload_digests_check_content(&u->digests, &e);

    if (result == 0)
        result = upload_finish(r->serve, &u->incoming, &u->digests, &target, &stored, &e);
    if (result < 0)
        (void)fail(r, u, result, &e);
    else
        upload_answer_stored(r, r->key, &stored);
}

static int upload_new(struct request *r, int64_t size, struct single_upload **ret, struct err *e)
{
    struct single_upload *u = calloc(1, sizeof(*u));
    const struct upload_asked asked = {.namespace = r->namespace, .size = size > 0 ? (uint64_t)size : 0};
    int result = u ? upload_digests_init(&u->digests, r->exchange, e) : err_set(e, -ENOMEM, "out of memory");

    if (result == 0)
        result = incoming_new(r->serve->uploads, &asked, &u->incoming, e);
    if (result < 0) {
        if (u)
            upload_free(u);
        return result;
    }
    *ret = u;
    return 0;
}

static void put(struct request *r)
{
    static const struct exchange_body BODY = {take, end, space, idle};
    int64_t size = exchange_body_size(r->exchange);
    struct upload_plan plan;
    struct single_upload *u;
    struct err e = {0};
    int result;

    if (!upload_begin(r, size, &plan))
        return;
    if (plan.size_there >= 0 && !plan.replace && size != plan.size_there) {
        exchange_answer_text(r->exchange, 412, "there is another object of this name: it is not replaced");
        return;
    }
    if ((result = upload_new(r, size, &u, &e)) < 0) {
        upload_answer_failed(r, r->key, result, &e);
        return;
    }
    u->replace = plan.replace;
    r->state = u;
    r->state_done = upload_free;
    incoming_write_behind(&u->incoming, size > 0 ? (uint64_t)size : 0);
    exchange_receive(r->exchange, &BODY);
}

/* RFC 4918, 9.3. Folders come with their objects: this is for clients that make them first. */
static void make_folder(struct request *r)
{
    size_t size = strlen(r->key);
    int result;

    while (size > 0 && r->key[size - 1] == '/')
        r->key[--size] = '\0';
    if (!strchr(r->key, '/')) /* the folder of a namespace */
        r->rights = caller_rights(r->serve->access, r->caller, r->key);
    if (!request_may(r, RIGHT_WRITE))
        return;
    if (exchange_has_body(r->exchange)) {
        exchange_answer_text(r->exchange, 415, "MKCOL with a body is not understood");
        return;
    }
    result = r->serve->uploads ? incoming_make_folder(r->serve->uploads, r->key) : -EROFS;
    if (result == 0)
        exchange_answer(r->exchange, 201, "", 0);
    else if (result == -ENOSPC || result == -EDQUOT)
        exchange_answer_text(r->exchange, 507, "no room left on the disk");
    else
        exchange_answer_text(r->exchange,
                             result == -EEXIST                         ? 405
                             : result == -ENOENT || result == -ENOTDIR ? 409
                                                                       : 403,
                             "the folder cannot be made: %s", strerror(-result));
}

void upload_object(struct request *r)
{
    bool complete;

    if (text_eq(exchange_method(r->exchange), "MKCOL"))
        make_folder(r);
    else if (upload_resume_wanted(r, &complete))
        upload_resume_create(r, complete);
    else
        put(r);
}
