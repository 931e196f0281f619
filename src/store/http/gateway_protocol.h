/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Protocol: from a shipper (store/http/gateway_client.c) to `salvage serve --from`
 * (serve/gateway_direct.c), about an upload whose parts the shipper sends to the bucket itself. The server begins it,
 * makes a URL for each part, and completes it; it holds no state of it, so any replica answers any of these, and a
 * restart ends nothing.
 *
 * Offered by GATEWAY_OFFER in the answer to OPTIONS. Each request is POST /-/gateway/VERB/KEY, with the caller's token,
 * who must be allowed to write KEY; bodies are JSON:
 *
 *   begin     nothing; Content-Type is the object's      201  {"token": "…", "digest": "sha-256"}
 *   resume    {"token"}                                  200  the same
 *   part      {"token", "number", "size", "digest"}      200  {"url": "…", "headers": {"NAME": "VALUE"}}
 *   complete  {"token", "size", "parts": [["ETAG", SIZE]]}  201, 200 (it was there)
 *   abort     {"token"}                                  204
 *
 * digest: of the part, in base64, by the algorithm that begin has named ("sha-256" or "md5"). ETAG: what the bucket
 * answered a part with, as s3_part_etag.h writes it. Failures are text/plain: 400, 401, 403, 404 (may not write there),
 * 410 (there is no such upload any more), 412 (there is another object of this name), 413, 501 (send it through me),
 * 502, 503, 504 and 507 for trouble with the bucket.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/sink.h"

#define GATEWAY_OFFER "Salvage-Direct-Upload"
#define GATEWAY_VERSION "1"
#define GATEWAY_PATH "-/gateway/"

enum {
    GATEWAY_TOKEN_MAX = 1024,           /* a journal's (ship/journal.h) */
    GATEWAY_DIGEST_MAX = 64,            /* base64 */
    GATEWAY_PARTS_MAX = 10000,          /* S3's */
    GATEWAY_TEXT_MAX = 4 * 1024 * 1024, /* a body: one that completes 10,000 parts has 1.5 MiB */
    GATEWAY_SMALL_TEXT_MAX = 16 * 1024, /* of all others */
    GATEWAY_URL_MAX = 8 * 1024
};

enum gateway_verb { GATEWAY_BEGIN, GATEWAY_RESUME, GATEWAY_PART, GATEWAY_COMPLETE, GATEWAY_ABORT, GATEWAY_VERB_END };

const char *gateway_verb_name(enum gateway_verb v);

/* What stands behind GATEWAY_PATH, "begin/shop/x": its verb, and where the key begins; GATEWAY_VERB_END: none. */
enum gateway_verb gateway_verb_find(const char *path, const char **ret_key);

struct gateway_part {
    unsigned number;
    uint64_t size;
    char digest[GATEWAY_DIGEST_MAX];
};

/* What a request says; of each verb as much as the table above has. Texts are owned. */
struct gateway_question {
    char *token;
    struct gateway_part part; /* part */
    uint64_t size;            /* complete: of the whole */
    char **etags;
    uint64_t *sizes;
    unsigned count;
};
void gateway_question_done(struct gateway_question *q);

/* 0, -ENOMEM, or -EBADMSG: not that JSON, a field is missing or out of its bounds, the sizes do not come to the
 * whole's. Encoding borrows; malloc'ed. */
int gateway_question_decode(enum gateway_verb v, const char *text, size_t size, struct gateway_question *ret);
int gateway_question_encode(enum gateway_verb v, const struct gateway_question *q, char **ret);

/* Of begin and resume. */
int gateway_upload_encode(const struct handed_upload *u, char **ret);
int gateway_upload_decode(const char *text, size_t size, struct handed_upload *ret);

/* Of part. What is decoded has an http(s) URL, and headers that an HTTP request can have. */
int gateway_request_encode(const struct handed_request *r, char **ret);
int gateway_request_decode(const char *text, size_t size, struct handed_request *ret);
