/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT and POST of an object, through this server into the store: as upload.c has it for a folder. Never over what is
 * there, unless the caller may delete: asked before the bytes, and by a condition at their end. The same bytes once
 * more are no failure.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/gateway.h"
#include "serve/root.h"
#include "serve/store_upload.h"
#include "serve/upload_finish.h"
#include "serve/upload_manifest.h"
#include "store/readback.h"

enum { DISCARD_MAX = 1024 * 1024 * 1024 };

struct gateway_upload {
    struct store_upload *upload; /* NULL: there is such an object, and it is compared */
    struct object_info there;
    bool is_there;
    struct upload_digests digests;
    EVP_MD_CTX *sha512; /* of the whole; NULL: not asked for */
    struct digest digest;
    uint64_t size, discarded;
    int result; /* why it failed; what comes then is thrown away */
    bool of_store;
    struct err err;
};

static void upload_free(void *state)
{
    struct gateway_upload *u = state;

    store_upload_free(u->upload);
    upload_digests_done(&u->digests);
    EVP_MD_CTX_free(u->sha512);
    free(u);
}

/* The cause is the store, not what the client sent. */
static int store_failed(struct gateway_upload *u, int result)
{
    u->of_store = result < 0 && result != -FAULT_EXISTS && result != -EFBIG && result != -EAGAIN;
    return result;
}

static void answer_failed(struct request *r, const struct gateway_upload *u)
{
    if (u->of_store) {
        gateway_fail(r, u->result, &u->err);
    } else if (u->result == -EAGAIN) {
        exchange_add_header(r->exchange, "Retry-After", "5");
        exchange_answer_text(r->exchange, 503, "%s", u->err.msg);
    } else {
        upload_answer_failed(r, r->key, u->result, &u->err);
    }
}

/* As upload.c. */
static int discard(struct request *r, struct gateway_upload *u, size_t size)
{
    u->discarded += size;
    if (u->discarded <= DISCARD_MAX)
        return 0;
    answer_failed(r, u);
    return -ECANCELED;
}

static int check_size(const struct request *r, uint64_t size, struct err *e)
{
    uint64_t max = r->serve->config.upload.object_max;
    char text[TEXT_SIZE_MAX];

    if (max && size > max)
        return err_set(e, -EFBIG, "an object may have no more than %s here", text_format_size(max, text));
    return 0;
}

static int take(struct exchange *x, const void *data, size_t size)
{
    struct request *r = exchange_state(x);
    struct gateway_upload *u = r->state;

    if (u->result < 0)
        return discard(r, u, size);
    upload_digests_add(&u->digests, data, size);
    digest_update(&u->digest, data, size);
    if (u->sha512)
        EVP_DigestUpdate(u->sha512, data, size);
    u->size += size;
    u->result = check_size(r, u->size, &u->err);
    if (u->result == 0 && u->upload)
        u->result = store_failed(u, store_upload_write(u->upload, data, size, &u->err));
    if (u->result < 0) {
        store_upload_free(u->upload); /* others need the memory */
        u->upload = NULL;
    }
    return 0;
}

/* Repr-Digest: a request has the whole object. */
static int check_whole(struct gateway_upload *u, const unsigned char *sha256)
{
    unsigned char sha512[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (u->digests.repr.has_sha256 && memcmp(u->digests.repr.sha256, sha256, DIGEST_SHA256_SIZE) != 0)
        return err_set(&u->err, -FAULT_CORRUPT, "Repr-Digest: what arrived has another sha-256: nothing is stored");
    if (u->sha512 && (EVP_DigestFinal_ex(u->sha512, sha512, &size) != 1 ||
                      memcmp(u->digests.repr.sha512, sha512, DIGEST_SHA512_SIZE) != 0))
        return err_set(&u->err, -FAULT_CORRUPT, "Repr-Digest: what arrived has another sha-512: nothing is stored");
    return 0;
}

static int add_to_check(void *ctx, const void *data, size_t size)
{
    return readback_add(ctx, data, size);
}

/* Whether the store has the very same bytes under this key. */
static int compare(struct request *r, struct gateway_upload *u, const char *sha256)
{
    CLEANUP(readback_done) struct readback check = {0};
    const struct object_reader reader = {.key = r->key, .known = &u->there, .fn = add_to_check, .ctx = &check};
    char hex[DIGEST_HEX_MAX] = "";
    struct sink *s = NULL;
    int result = 0;

    if (u->size == u->there.size && *u->there.sha256) {
        snprintf(hex, sizeof(hex), "%s", u->there.sha256);
    } else if (u->size == u->there.size) {
        if ((result = sink_pool_take(gateway_sinks(r->serve->gateway), &s, &u->err)) == 0 &&
            (result = readback_init(&check)) == 0 && (result = s->ops->read(s, &reader, &u->err)) == 0)
            result = readback_hex(&check, hex);
        sink_pool_give(gateway_sinks(r->serve->gateway), s);
    }
    if (result < 0)
        return store_failed(u, result);
    return text_eq(hex, sha256)
               ? 0
               : err_set(&u->err, -FAULT_EXISTS, "there is another object of this name: it is not replaced");
}

static int finish(struct request *r, struct gateway_upload *u, struct upload_result *ret)
{
    char hex[DIGEST_HEX_MAX];
    const struct buf *text = u->upload ? store_upload_text(u->upload) : NULL;
    int result;

    ret->size = u->size;
    ret->end = !u->upload ? INCOMING_THERE : u->is_there ? INCOMING_REPLACED : INCOMING_STORED;
    digest_raw(&u->digest, ret->sha256);
    digest_hex(&u->digest, hex);
    if ((result = upload_digests_check_content(&u->digests, &u->err)) < 0 ||
        (result = check_whole(u, ret->sha256)) < 0 ||
        (text && (result = upload_manifest_check_text(text, r->key, &u->err)) < 0))
        return result;
    return u->upload ? store_failed(u, store_upload_finish(u->upload, hex, &u->err)) : compare(r, u, hex);
}

static void end(struct exchange *x)
{
    struct request *r = exchange_state(x);
    struct gateway_upload *u = r->state;
    struct upload_result stored = {0};

    if (u->result == 0)
        u->result = finish(r, u, &stored);
    if (u->result < 0) {
        store_upload_free(u->upload); /* who has the answer finds nothing of it in the store */
        u->upload = NULL;
        answer_failed(r, u);
        return;
    }
    if (stored.end != INCOMING_THERE)
        serve_stored(r->serve, r->key, u->size);
    request_audit(r, "upload", NULL, u->size);
    upload_answer_stored(r, r->key, &stored);
}

static int init_digests(struct gateway_upload *u, const struct exchange *x)
{
    int r = upload_digests_init(&u->digests, x, &u->err);

    digest_init(&u->digest);
    if (r < 0 || !u->digests.repr.has_sha512)
        return r;
    if (!(u->sha512 = EVP_MD_CTX_new()) || EVP_DigestInit_ex(u->sha512, EVP_sha512(), NULL) != 1)
        return err_set(&u->err, -ENOMEM, "out of memory");
    return 0;
}

/* What stands under the key. -FAULT_EXISTS: and it can't be what is sent. */
static int look_there(struct request *r, struct gateway_upload *u, int64_t size)
{
    const char *none = exchange_header(r->exchange, "If-None-Match");
    int result = gateway_stat(r->serve->gateway, r->key, &u->there, &u->err);

    u->is_there = result == 0;
    if (result == -FAULT_NO_OBJECT)
        return 0;
    if (result < 0)
        return store_failed(u, result);
    if (none && text_eq(none, "*"))
        return err_set(&u->err, -FAULT_EXISTS, "there is an object of this name (If-None-Match)");
    if (!(r->rights & RIGHT_DELETE) && size >= 0 && (uint64_t)size != u->there.size)
        return err_set(&u->err, -FAULT_EXISTS, "there is another object of this name: it is not replaced");
    return 0;
}

static int begin_upload(struct request *r, struct gateway_upload *u, int64_t size)
{
    const bool replace = u->is_there && (r->rights & RIGHT_DELETE);
    const struct store_upload_start start = {.key = r->key,
                                             .namespace = r->namespace,
                                             .content_type = exchange_header(r->exchange, "Content-Type"),
                                             .size = size,
                                             .replace = replace};

    if (u->is_there && !replace)
        return 0;
    return store_failed(u, store_upload_new(r->serve->gateway, &start, &u->upload, &u->err));
}

static void put(struct request *r)
{
    static const struct exchange_body BODY = {.data = take, .end = end};
    int64_t size = exchange_body_size(r->exchange);
    struct gateway_upload *u = calloc(1, sizeof(*u));

    if (!u) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    r->state = u;
    r->state_done = upload_free;
    if ((u->result = init_digests(u, r->exchange)) < 0 ||
        (size > 0 && (u->result = check_size(r, (uint64_t)size, &u->err)) < 0) ||
        (u->result = look_there(r, u, size)) < 0 || (u->result = begin_upload(r, u, size)) < 0) {
        answer_failed(r, u);
        return;
    }
    exchange_receive(r->exchange, &BODY);
}

/* Folders come with their objects: for clients that make them first (RFC 4918, 9.3), there is nothing to do. */
static void make_folder(struct request *r)
{
    size_t size = strlen(r->key);

    while (size > 0 && r->key[size - 1] == '/')
        r->key[--size] = '\0';
    if (!strchr(r->key, '/')) /* the folder of a namespace */
        r->rights = caller_rights(r->serve->access, r->caller, r->key);
    if (!request_may(r, RIGHT_WRITE))
        return;
    if (exchange_has_body(r->exchange))
        exchange_answer_text(r->exchange, 415, "MKCOL with a body is not understood");
    else
        exchange_answer(r->exchange, 201, "", 0);
}

void gateway_put(struct request *r)
{
    if (text_eq(exchange_method(r->exchange), "MKCOL")) {
        make_folder(r);
        return;
    }
    if (!request_may(r, RIGHT_WRITE))
        return;
    if (root_hides(r->key))
        exchange_answer_text(r->exchange, 403, "names that begin with '.' are not served");
    else if (text_eq(exchange_header(r->exchange, "Upload-Complete"), "?0")) /* what comes would count as the whole */
        exchange_answer_text(r->exchange, 501, "uploads to this store cannot be resumed: send the whole object");
    else if (upload_check_headers(r))
        put(r);
}
