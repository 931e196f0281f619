/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. By a table of fields.
 */
#include "serve/upload_record.h"

#include <errno.h>
#include <string.h>

#include "base/json_fields.h"
#include "net/url.h"

static int decode_digest(const json_t *value, void *at)
{
    const char *text = json_string_value(value);

    if (!text || strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)
        return -EBADMSG;
    memcpy(at, text, 65);
    return 0;
}

static int decode_true(const json_t *value, void *at)
{
    *(bool *)at = json_is_true(value);
    return json_is_boolean(value) ? 0 : -EBADMSG;
}

/* JSON can't express all bytes of a key. */
static int encode_key(const void *at, json_t **ret)
{
    const char *key = *(const char *const *)at;
    char *encoded = url_encode(key, strlen(key), 1);

    *ret = encoded ? json_string(encoded) : NULL;
    free(encoded);
    return *ret ? 1 : -ENOMEM;
}

static int decode_key(const json_t *value, void *at)
{
    const char *encoded = json_string_value(value);
    char *key = encoded && *encoded ? url_decode(encoded, strlen(encoded)) : NULL;

    if (!key)
        return encoded && *encoded ? -ENOMEM : -EBADMSG;
    *(char **)at = key;
    return 0;
}

#define AT(k, member) .kind = FIELD_##k, .offset = offsetof(struct upload_record, member)

static const struct json_field FIELDS[] = {
    {"schema", "text", "", .kind = FIELD_CONSTANT, .constant = "salvage.upload/1", .needed = true},
    {"key", "text", "", AT(TEXT, key), .needed = true, .encode = encode_key, .decode = decode_key},
    {"owner", "text", "", AT(TEXT, owner), .needed = true},
    {"length", "number", "", AT(KNOWN, length)},
    {"only_new", "true", "", AT(TRUE, only_new), .decode = decode_true},
    {"complete", "true", "", AT(TRUE, complete), .decode = decode_true},
    {"there", "true", "", AT(TRUE, there), .decode = decode_true},
    {"size", "number", "", AT(KNOWN, size)},
    {"sha256", "digest", "", AT(CHARS, sha256), .decode = decode_digest},
    {.path = NULL},
};

void upload_record_done(struct upload_record *r)
{
    json_fields_done(FIELDS, r);
}

int upload_record_encode(const struct upload_record *r, struct buf *ret)
{
    json_t *root;
    char *text;
    int result = json_fields_encode(FIELDS, r, "", &root);

    if (result < 0)
        return result;
    text = json_dumps(root, JSON_COMPACT);
    result = text ? buf_add_text(ret, text) : -ENOMEM;
    free(text);
    json_decref(root);
    return result;
}

int upload_record_decode(const char *json, size_t size, struct upload_record *ret)
{
    json_t *root = size <= UPLOAD_RECORD_MAX ? json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    struct upload_record r = {.length = UINT64_MAX, .size = UINT64_MAX};
    const struct json_field *bad = NULL;
    int result = root ? json_fields_decode(FIELDS, root, &r, &bad) : -EBADMSG;

    json_decref(root);
    if (result == 0 && r.complete && (r.size == UINT64_MAX || !*r.sha256))
        result = -EBADMSG;
    if (result < 0) {
        upload_record_done(&r);
        return result == -ENOMEM ? -ENOMEM : -EBADMSG;
    }
    *ret = r;
    return 0;
}
