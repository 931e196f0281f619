/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON to structs and back.
 */
#include "store/http/gateway_protocol.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/s3/s3_part_etag.h"

static const char *const VERBS[GATEWAY_VERB_END] = {"begin", "resume", "part", "complete", "abort"};
static const char SHA256[] = "sha-256", MD5[] = "md5";

const char *gateway_verb_name(enum gateway_verb v)
{
    assert(v < GATEWAY_VERB_END);
    return VERBS[v];
}

enum gateway_verb gateway_verb_find(const char *path, const char **ret_key)
{
    const char *slash = strchr(path, '/');
    enum gateway_verb v = GATEWAY_BEGIN;

    if (!slash)
        return GATEWAY_VERB_END;
    while (v < GATEWAY_VERB_END &&
           (strlen(VERBS[v]) != (size_t)(slash - path) || memcmp(VERBS[v], path, (size_t)(slash - path)) != 0))
        v++;
    *ret_key = slash + 1;
    return v;
}

void gateway_question_done(struct gateway_question *q)
{
    for (unsigned i = 0; q->etags && i < q->count; i++)
        free(q->etags[i]);
    free(q->etags);
    free(q->sizes);
    free(q->token);
    *q = (struct gateway_question){0};
}

/* Printable ASCII: it goes into URLs, headers, XML and a journal. */
static bool is_plain(const char *text, size_t max)
{
    size_t size = strlen(text);

    for (size_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return size > 0 && size < max;
}

static int take_text(const json_t *root, const char *name, size_t max, char **ret)
{
    const char *text = json_read_text(root, name);

    if (!is_plain(text, max))
        return -EBADMSG;
    return (*ret = strdup(text)) ? 0 : -ENOMEM;
}

static int take_size(const json_t *value, uint64_t max, uint64_t *ret)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
        return -EBADMSG;
    *ret = (uint64_t)json_integer_value(value);
    return 0;
}

static int take_part(const json_t *root, struct gateway_part *ret)
{
    const char *digest = json_read_text(root, "digest");
    uint64_t number;

    if (take_size(json_object_get(root, "number"), GATEWAY_PARTS_MAX, &number) < 0 || number == 0 ||
        take_size(json_object_get(root, "size"), INT64_MAX, &ret->size) < 0 || !is_plain(digest, sizeof(ret->digest)))
        return -EBADMSG;
    ret->number = (unsigned)number;
    memcpy(ret->digest, digest, strlen(digest) + 1);
    return 0;
}

static int take_parts(const json_t *root, struct gateway_question *q)
{
    const json_t *parts = json_object_get(root, "parts");
    size_t count = json_array_size(parts);
    struct s3_part_etag ignored;
    uint64_t all = 0;

    if (count == 0 || count > GATEWAY_PARTS_MAX || take_size(json_object_get(root, "size"), INT64_MAX, &q->size) < 0)
        return -EBADMSG;
    if (!(q->etags = calloc(count, sizeof(*q->etags))) || !(q->sizes = calloc(count, sizeof(*q->sizes))))
        return -ENOMEM;
    for (; q->count < count; q->count++) {
        const json_t *part = json_array_get(parts, q->count);
        const char *etag = json_string_value(json_array_get(part, 0));

        if (!etag || s3_part_etag_parse(etag, &ignored) < 0 ||
            take_size(json_array_get(part, 1), q->size - all, &q->sizes[q->count]) < 0)
            return -EBADMSG;
        if (!(q->etags[q->count] = strdup(etag)))
            return -ENOMEM;
        all += q->sizes[q->count];
    }
    return all == q->size ? 0 : -EBADMSG;
}

int gateway_question_decode(enum gateway_verb v, const char *text, size_t size, struct gateway_question *ret)
{
    CLEANUP(gateway_question_done) struct gateway_question q = {0};
    json_t *root;
    int r;

    assert(v < GATEWAY_VERB_END && ret);
    if (v == GATEWAY_BEGIN) {
        *ret = q;
        return size == 0 ? 0 : -EBADMSG;
    }
    if (!(root = json_read_object(text, size, v == GATEWAY_COMPLETE ? GATEWAY_TEXT_MAX : GATEWAY_SMALL_TEXT_MAX)))
        return -EBADMSG;
    r = take_text(root, "token", GATEWAY_TOKEN_MAX, &q.token);
    if (r == 0 && v == GATEWAY_PART)
        r = take_part(root, &q.part);
    if (r == 0 && v == GATEWAY_COMPLETE)
        r = take_parts(root, &q);
    json_decref(root);
    if (r < 0)
        return r;
    *ret = q;
    q = (struct gateway_question){0};
    return 0;
}

static int dump(json_t *root, char **ret)
{
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

    json_decref(root);
    if (!text)
        return -ENOMEM;
    *ret = text;
    return 0;
}

static json_t *pack_parts(const struct gateway_question *q)
{
    json_t *parts = json_array();

    for (unsigned i = 0; parts && i < q->count; i++)
        if (json_array_append_new(parts, json_pack("[s, I]", q->etags[i], (json_int_t)q->sizes[i])) < 0) {
            json_decref(parts);
            return NULL;
        }
    return parts;
}

int gateway_question_encode(enum gateway_verb v, const struct gateway_question *q, char **ret)
{
    assert(v != GATEWAY_BEGIN && q->token);
    if (v == GATEWAY_PART)
        return dump(json_pack("{s:s, s:i, s:I, s:s}", "token", q->token, "number", (int)q->part.number, "size",
                              (json_int_t)q->part.size, "digest", q->part.digest),
                    ret);
    if (v == GATEWAY_COMPLETE)
        return dump(
            json_pack("{s:s, s:I, s:o}", "token", q->token, "size", (json_int_t)q->size, "parts", pack_parts(q)), ret);
    return dump(json_pack("{s:s}", "token", q->token), ret);
}

int gateway_upload_encode(const struct handed_upload *u, char **ret)
{
    return dump(json_pack("{s:s, s:s}", "token", u->token, "digest", u->sums_md5 ? MD5 : SHA256), ret);
}

int gateway_upload_decode(const char *text, size_t size, struct handed_upload *ret)
{
    json_t *root = json_read_object(text, size, GATEWAY_SMALL_TEXT_MAX);
    const char *digest = root ? json_read_text(root, "digest") : "";
    struct handed_upload u = {.sums_md5 = text_eq(digest, MD5)};
    int r = u.sums_md5 || text_eq(digest, SHA256) ? take_text(root, "token", GATEWAY_TOKEN_MAX, &u.token) : -EBADMSG;

    json_decref(root);
    if (r == 0)
        *ret = u;
    return r;
}

int gateway_request_encode(const struct handed_request *r, char **ret)
{
    json_t *headers = json_object();

    for (unsigned i = 0; headers && i < r->count; i++)
        if (json_object_set_new(headers, r->name[i], json_string(r->value[i])) < 0) {
            json_decref(headers);
            return -ENOMEM;
        }
    return dump(json_pack("{s:s, s:o}", "url", secret_expose(r->url), "headers", headers), ret);
}

/* A name is a token (RFC 9110, 5.6.2). What frames the message, and what is ours to send, is no header of a part. */
static bool is_header_name(const char *name)
{
    static const char *const OURS[] = {"host",          "content-length", "transfer-encoding",  "connection", "expect",
                                       "authorization", "cookie",         "proxy-authorization"};

    for (size_t i = 0; i < ARRAY_SIZE(OURS); i++)
        if (strcasecmp(name, OURS[i]) == 0)
            return false;
    return *name && strlen(name) < 128 &&
           !name[strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

static int take_headers(json_t *headers, struct handed_request *ret)
{
    const char *name;
    json_t *value;
    int r = 0;

    json_object_foreach(headers, name, value)
    {
        const char *text = json_string_value(value);

        if (!text || !is_header_name(name) || !is_plain(text, GATEWAY_URL_MAX))
            return -EBADMSG;
        if ((r = handed_request_add(ret, name, text)) < 0)
            return r == -EMSGSIZE ? -EBADMSG : r;
    }
    return 0;
}

/* Printable, without blanks, and http or https: libcurl knows other schemes. */
static bool is_url(const char *url)
{
    return is_plain(url, GATEWAY_URL_MAX) && !strchr(url, ' ') &&
           (text_starts(url, "https://") || text_starts(url, "http://"));
}

int gateway_request_decode(const char *text, size_t size, struct handed_request *ret)
{
    CLEANUP(handed_request_done) struct handed_request q = {0};
    json_t *root = json_read_object(text, size, GATEWAY_SMALL_TEXT_MAX);
    const char *url = root ? json_read_text(root, "url") : "";
    int r = is_url(url) ? take_headers(json_object_get(root, "headers"), &q) : -EBADMSG;

    if (r == 0 && !(q.url = secret_new(url, strlen(url))))
        r = -ENOMEM;
    json_decref(root);
    if (r < 0)
        return r;
    *ret = q;
    q = (struct handed_request){0};
    return 0;
}
