/* SPDX-License-Identifier: Apache-2.0
 *
 * A small object in one request, to a server that puts objects in their place itself.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/digest_field.h"
#include "store/http/resume_answer.h"

int http_resume_put(struct http_store *s, const struct small_object *o, const struct upload_events *events,
                    struct err *e)
{
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = http_store_url(s, o->key);
    unsigned char sha256[SHA256_DIGEST_LENGTH];
    char digest[DIGEST_FIELD_MAX], etag[ETAG_MAX];
    struct http_request request;
    uint64_t there;
    int r = http_store_request(s, "PUT", url, &request, e);

    if (r < 0)
        return r;
    SHA256(o->data, o->size, sha256);
    http_add_header(&request, "Content-Type", o->content_type);
    http_add_header(&request, "Repr-Digest", digest_field_format(sha256, digest));
    request.body = o->size > 0 ? o->data : "";
    request.body_size = o->size;
    if ((r = http_store_send(s->http, &request, events, &answer, e)) < 0)
        return r;
    if (!http_store_ok(&answer))
        return http_resume_fail(s, &request, &answer, e);
    if (resume_answer_has_digest(&answer, sha256))
        return 0;
    if ((r = http_store_head(s, o->key, &there, etag, e)) < 0)
        return r;
    return there == o->size
               ? 0
               : err_set(e, -FAULT_CORRUPT, "http: %s has %" PRIu64 " bytes instead of %zu", url, there, o->size);
}
