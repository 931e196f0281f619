/* SPDX-License-Identifier: Apache-2.0
 *
 * The order is RFC 9110's (13.2.2): rights, existence, conditions, ranges.
 */
#include "serve/object_answer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "serve/conditions.h"
#include "serve/object_name.h"
#include "serve/root.h"

enum { NS_PER_S = 1000000000, SHA256_BYTES = 32, BASE64_MAX = 45 };

static void answer_busy(struct request *r, int result)
{
    exchange_add_header(r->exchange, "Retry-After", "5");
    exchange_answer_text(r->exchange, 503, "%s",
                         result == -EAGAIN ? "what you may cannot be found out just now" : strerror(-result));
}

void object_answer_absent(struct request *r, int result)
{
    root_object_report(r->key, result);
    if (result == -EACCES || result == -EPERM)
        exchange_answer_text(r->exchange, 403, "the server's user may not read this file");
    else if (result == -EMFILE || result == -ENFILE || result == -ENOMEM || result == -EAGAIN)
        answer_busy(r, result);
    else if (result == -EIO || result == -ESTALE)
        exchange_answer_text(r->exchange, 500, "%s", strerror(-result));
    else
        exchange_answer_text(r->exchange, 404, "not found");
}

/* Relative, so that it is right behind a proxy that adds a prefix. */
void object_answer_folder(struct request *r)
{
    const char *name = text_base_name(r->key), *format = exchange_query(r->exchange, "format");
    CLEANUP_FREE char *encoded = url_encode(name, strlen(name), 0);
    char location[1024];

    if (!encoded) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    snprintf(location, sizeof(location), "%s/%s", encoded, text_eq(format, "json") ? "?format=json" : "");
    exchange_add_header(r->exchange, "Location", location);
    exchange_answer_text(r->exchange, 301, "this is a folder: %s", location);
}

void object_answer_namespace(struct request *r)
{
    CLEANUP_FD int fd = -1;

    if (!*r->key || strchr(r->key, '/') ||
        (r->serve->root_fd >= 0 && (fd = root_open(r->serve->root_fd, r->key, O_PATH | O_DIRECTORY)) < 0))
        return;
    r->rights = caller_rights(r->serve->access, r->caller, r->key);
}

bool object_answer_open(struct request *r, struct root_object *ret)
{
    struct root_object o;
    int result;

    if (r->serve->root_fd < 0) {
        exchange_answer_text(r->exchange, 501, "this store is read by its own tools");
        return false;
    }
    object_answer_namespace(r);
    if (!request_may(r, RIGHT_LIST))
        return false;
    if ((result = root_object_open(r->serve->root_fd, r->key, &o)) == -EISDIR) {
        object_answer_folder(r);
        return false;
    }
    if (result < 0) {
        object_answer_absent(r, result);
        return false;
    }
    if (!o.is_manifest && !object_name_is_record(r->key) && !request_may(r, RIGHT_READ)) {
        root_object_done(&o);
        return false;
    }
    *ret = o;
    return true;
}

/* RFC 9530: sha-256=:base64: */
static void add_digest(struct exchange *x, const char *hex)
{
    unsigned char raw[SHA256_BYTES];
    char base64[BASE64_MAX], value[BASE64_MAX + 16];

    if (!hex || text_unhex(hex, raw, sizeof(raw)) < 0)
        return;
    EVP_EncodeBlock((unsigned char *)base64, raw, sizeof(raw));
    snprintf(value, sizeof(value), "sha-256=:%s:", base64);
    exchange_add_header(x, "Repr-Digest", value);
}

static void add_headers(struct request *r, const struct representation *p)
{
    const struct root_object *o = p->object;
    const struct object_name name = {r->key, o->described ? &o->manifest : NULL, p->decoded};
    char disposition[OBJECT_DISPOSITION_MAX], date[CLOCK_TEXT_MAX];
    struct exchange *x = r->exchange;

    object_name_disposition(&name, disposition);
    exchange_add_header(x, "ETag", p->etag);
    exchange_add_header(x, "Last-Modified", clock_format_http(o->modified_ns, date));
    exchange_add_header(x, "Accept-Ranges", p->ranges ? "bytes" : "none");
    exchange_add_header(x, "Cache-Control", "private, no-cache");
    exchange_add_header(x, "Content-Disposition", disposition);
    exchange_add_header(x, "Content-Security-Policy", "sandbox; default-src 'none'");
    exchange_add_header(x, "X-Content-Type-Options", "nosniff");
    add_digest(x, p->sha256);
}

static enum plan_kind answer_unsatisfiable(struct request *r, const struct representation *p)
{
    char value[48];

    snprintf(value, sizeof(value), "bytes */%" PRId64, p->size);
    exchange_add_header(r->exchange, "Content-Range", value);
    exchange_answer_text(r->exchange, 416, "the object has %" PRId64 " bytes", p->size);
    return ANSWERED;
}

/* RANGE_WHOLE too where a Range does not count. */
static enum range_kind read_ranges(struct request *r, const struct representation *p, const struct conditions *c,
                                   const struct validators *v, struct ranges *ret)
{
    if (!p->ranges || p->size < 0 || !text_eq(exchange_method(r->exchange), "GET") || !conditions_range(c, v))
        return RANGE_WHOLE;
    return range_parse(exchange_header(r->exchange, "Range"), (uint64_t)p->size, ret);
}

void object_answer_headers(struct request *r, const struct representation *p, const struct ranges *ranges)
{
    const struct root_object *o = p->object;
    char value[96];

    add_headers(r, p);
    if (ranges && ranges->count > 1)
        return;
    exchange_add_header(
        r->exchange, "Content-Type",
        object_name_type(&(struct object_name){r->key, o->described ? &o->manifest : NULL, p->decoded}));
    if (!ranges)
        return;
    snprintf(value, sizeof(value), "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, ranges->range[0].first,
             ranges->range[0].first + ranges->range[0].size - 1, p->size);
    exchange_add_header(r->exchange, "Content-Range", value);
}

enum plan_kind object_answer_plan(struct request *r, const struct representation *p, struct ranges *ret)
{
    struct exchange *x = r->exchange;
    const struct conditions c = {.if_match = exchange_header(x, "If-Match"),
                                 .if_none_match = exchange_header(x, "If-None-Match"),
                                 .if_modified_since = exchange_header(x, "If-Modified-Since"),
                                 .if_unmodified_since = exchange_header(x, "If-Unmodified-Since"),
                                 .if_range = exchange_header(x, "If-Range")};
    const int64_t modified_s = p->object->modified_ns / NS_PER_S;
    const struct validators v = {p->etag, modified_s, modified_s < clock_wall_ns() / NS_PER_S};
    unsigned status = conditions_status(&c, &v);

    assert(p->object && p->etag && ret);
    if (status == 412) {
        exchange_answer_text(x, 412, "the object is another one by now");
        return ANSWERED;
    }
    if (status == 304) {
        add_headers(r, p);
        exchange_answer(x, 304, "", 0);
        return ANSWERED;
    }
    switch (read_ranges(r, p, &c, &v, ret)) {
    case RANGE_UNSATISFIABLE:
        return answer_unsatisfiable(r, p);
    case RANGE_SOME:
        return ret->count > 1 ? PARTS : PART;
    case RANGE_WHOLE:
        break;
    }
    return WHOLE;
}
