/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks before the first byte, and after the last.
 */
#include "serve/upload_finish.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/conditions.h"
#include "serve/root.h"
#include "serve/root_object.h"
#include "serve/upload_manifest.h"

/* Headers that would change what is stored. A part of an object must not become the whole (RFC 9110, 14.5). */
bool upload_check_headers(struct request *r)
{
    const char *coding = exchange_header(r->exchange, "Content-Encoding");

    if (exchange_header(r->exchange, "Content-Range")) {
        exchange_answer_text(r->exchange, 400, "a part of an object cannot be put (Content-Range)");
        return false;
    }
    if (coding && !text_eq(coding, "identity")) {
        exchange_answer_text(r->exchange, 415, "objects are stored as they come: without Content-Encoding");
        return false;
    }
    return true;
}

/* RFC 9110, 13.2.2: If-Match, then If-None-Match. etag: of what is there; NULL: nothing is. */
static bool check_conditions(struct request *r, const char *etag)
{
    const char *match = exchange_header(r->exchange, "If-Match"), *none = exchange_header(r->exchange, "If-None-Match");

    if (match && (!etag || !conditions_names(match, etag, false))) {
        exchange_answer_text(r->exchange, 412, "the object is not the one that is meant (If-Match)");
        return false;
    }
    if (none && etag && conditions_names(none, etag, true)) {
        exchange_answer_text(r->exchange, 412, "there is an object of this name (If-None-Match)");
        return false;
    }
    return true;
}

static bool check_there(struct request *r, struct upload_plan *plan)
{
    char etag[ROOT_OBJECT_ETAG_MAX];
    uint64_t size;
    int there = incoming_there(r->serve->uploads, r->key, &size);

    plan->size_there = there == 1 ? (int64_t)size : -1;
    if (there == -EISDIR || there == -ENOTDIR || there == -ELOOP) {
        exchange_answer_text(r->exchange, 409, "a folder has this name, or an object that of a folder on its path");
        return false;
    }
    if (text_eq(exchange_header(r->exchange, "If-None-Match"), "*"))
        plan->replace = false; /* nor what comes while this is on its way */
    if (there == 1)
        root_object_etag(r->serve->root_fd, r->key, etag);
    return check_conditions(r, there == 1 ? etag : NULL);
}

bool upload_begin(struct request *r, int64_t size, struct upload_plan *ret)
{
    char max[TEXT_SIZE_MAX];

    assert(r && r->key && ret);
    if (!request_may(r, RIGHT_WRITE))
        return false;
    if (!r->serve->uploads) {
        exchange_answer_text(r->exchange, 501, "this server does not take uploads");
        return false;
    }
    if (root_hides(r->key)) {
        exchange_answer_text(r->exchange, 403, "names that begin with '.' are not served");
        return false;
    }
    if (uploads_config(r->serve->uploads)->object_max &&
        size > (int64_t)uploads_config(r->serve->uploads)->object_max) {
        exchange_answer_text(r->exchange, 413, "an object may have no more than %s here",
                             text_format_size(uploads_config(r->serve->uploads)->object_max, max));
        return false;
    }
    *ret = (struct upload_plan){.replace = (r->rights & RIGHT_DELETE) != 0};
    return upload_check_headers(r) && check_there(r, ret);
}

int upload_finish(struct serve *s, struct incoming *in, const struct upload_digests *d,
                  const struct incoming_target *target, struct upload_result *ret, struct err *e)
{
    int r = incoming_rest(in, e);

    if (r < 0)
        return r;
    ret->size = in->size;
    digest_raw(&in->digest, ret->sha256);
    if ((r = upload_digests_check_whole(d, in->fd, ret->sha256, e)) < 0 ||
        (r = upload_manifest_check(in->fd, target->key, e)) < 0 || (r = incoming_commit(in, target, &ret->end, e)) < 0)
        return r;
    if (ret->end == INCOMING_REPLACED)
        uploads_removed(s->uploads, target->key);
    if (ret->end != INCOMING_THERE)
        serve_stored(s, target->key, ret->size);
    return 0;
}

static char *location_of(const char *key)
{
    CLEANUP_FREE char *encoded = url_encode(key, strlen(key), 1);
    char *path;

    return encoded && asprintf(&path, "/%s", encoded) >= 0 ? path : NULL;
}

void upload_answer_stored(struct request *r, const char *key, const struct upload_result *u)
{
    CLEANUP_FREE char *location = location_of(key);
    char digest[DIGEST_FIELD_MAX], etag[ROOT_OBJECT_ETAG_MAX] = "";

    if (location)
        exchange_add_header(r->exchange, "Location", location);
    if (r->serve->root_fd >= 0) /* a store elsewhere would have to be asked */
        root_object_etag(r->serve->root_fd, key, etag);
    if (*etag)
        exchange_add_header(r->exchange, "ETag", etag);
    exchange_add_header(r->exchange, "Repr-Digest", digest_field_format(u->sha256, digest));
    exchange_answer(r->exchange, u->end == INCOMING_STORED ? 201 : 200, "", 0);
}

void upload_answer_failed(struct request *r, const char *key, int result, const struct err *e)
{
    static const struct {
        int result;
        unsigned status;
    } rows[] = {{-FAULT_EXISTS, 412}, {-FAULT_REFUSED, 409}, {-FAULT_CORRUPT, 400},
                {-FAULT_FORMAT, 400}, {-FAULT_USAGE, 400},   {-EFBIG, 413},
                {-FAULT_FULL, 507},   {-ENOMEM, 503},        {-FAULT_BUSY, 503}};
    unsigned status = 500;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].result == result)
            status = rows[i].status;
    if (status >= 500)
        log_event(EVENT_UPLOAD_FAILED, LOG_STR("key", key), LOG_UINT("status", status), LOG_STR("error", e->msg));
    if (status == 503)
        exchange_add_header(r->exchange, "Retry-After", "5");
    exchange_answer_text(r->exchange, status, "%s", e->msg);
}
