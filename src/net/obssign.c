/* SPDX-License-Identifier: Apache-2.0
 *
 * The string to sign goes straight into the HMAC, piece by piece: no text with a security token in it lies about.
 * HMAC-SHA1 is the only one that OBS knows; as a keyed hash it is still sound.
 */
#include "net/obssign.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

enum { DIGEST_SIZE = 20, BASE64_SIZE = 32, OWN_HEADERS = 3, URL_PARAMETERS = 4 };
static const char PREFIX[] = "x-obs-";

/* The parameters of a URL that are part of what is signed (the same chapter, "CanonicalizedResource"), besides those
 * that begin with x-obs-. */
static const char *const SUBRESOURCES[] = {
    "CDNNotifyConfiguration",
    "acl",
    "append",
    "attname",
    "backtosource",
    "cors",
    "customdomain",
    "delete",
    "deletebucket",
    "directcoldaccess",
    "encryption",
    "inventory",
    "length",
    "lifecycle",
    "location",
    "logging",
    "metadata",
    "mirrorBackToSource",
    "modify",
    "name",
    "notification",
    "object-lock",
    "obscompresspolicy",
    "orchestration",
    "partNumber",
    "policy",
    "position",
    "quota",
    "rename",
    "replication",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "storageClass",
    "storageinfo",
    "storagePolicy",
    "tagging",
    "torrent",
    "truncate",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
    "x-image-process",
    "x-image-save-bucket",
    "x-image-save-object",
};

static void mac_free(EVP_MAC_CTX **m)
{
    EVP_MAC_CTX_free(*m);
}

static int mac_new(const struct credentials *c, EVP_MAC_CTX **ret)
{
    char sha1[] = "SHA1", digest[] = "digest";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(digest, sha1, 0), OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *m = hmac ? EVP_MAC_CTX_new(hmac) : NULL;

    EVP_MAC_free(hmac);
    if (!m ||
        EVP_MAC_init(m, (const unsigned char *)secret_expose(c->secret_key), secret_size(c->secret_key), params) != 1) {
        EVP_MAC_CTX_free(m);
        return -ENOMEM;
    }
    *ret = m;
    return 0;
}

static void add(EVP_MAC_CTX *m, const char *text)
{
    EVP_MAC_update(m, (const unsigned char *)text, strlen(text));
}

static void add_lower(EVP_MAC_CTX *m, const char *name)
{
    for (; *name; name++) {
        unsigned char c = (unsigned char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);

        EVP_MAC_update(m, &c, 1);
    }
}

/* Without the white space around it. */
static void add_trimmed(EVP_MAC_CTX *m, const char *value)
{
    size_t size;

    value += strspn(value, " \t");
    for (size = strlen(value); size > 0 && strchr(" \t", value[size - 1]); size--)
        ;
    EVP_MAC_update(m, (const unsigned char *)value, size);
}

/* A header that has a line of its own, wherever it may stand; an empty line without it. */
static void add_header(EVP_MAC_CTX *m, const struct sign_request *r, const char *name)
{
    for (unsigned i = 0; i < r->header_count; i++)
        if (strcasecmp(r->headers[i].name, name) == 0)
            add_trimmed(m, r->headers[i].value);
    add(m, "\n");
}

/* CanonicalizedHeaders: x-obs-*, sorted, those of one name joined. date: NULL for a URL, in whose query the rest is. */
static int add_own_headers(EVP_MAC_CTX *m, const struct sign_request *r, const struct credentials *c, const char *date)
{
    CLEANUP_FREE struct sign_pair *pairs = calloc(r->header_count + OWN_HEADERS, sizeof(*pairs));
    size_t count = 0;

    if (!pairs)
        return -ENOMEM;
    for (unsigned i = 0; i < r->header_count; i++)
        if (strncasecmp(r->headers[i].name, PREFIX, strlen(PREFIX)) == 0)
            pairs[count++] = r->headers[i];
    if (date)
        pairs[count++] = (struct sign_pair){"x-obs-date", date};
    if (date && r->payload_sha256)
        pairs[count++] = (struct sign_pair){"x-obs-content-sha256", r->payload_sha256};
    if (date && c->token)
        pairs[count++] = (struct sign_pair){"x-obs-security-token", secret_expose(c->token)};
    sign_sort_headers(pairs, count);
    for (size_t i = 0; i < count; i++) {
        if (sign_repeats(pairs, i)) {
            add(m, ",");
        } else {
            add(m, i > 0 ? "\n" : "");
            add_lower(m, pairs[i].name);
            add(m, ":");
        }
        add_trimmed(m, pairs[i].value);
    }
    add(m, count > 0 ? "\n" : "");
    return 0;
}

static bool is_subresource(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(SUBRESOURCES); i++)
        if (text_eq(name, SUBRESOURCES[i]))
            return true;
    return text_starts(name, PREFIX);
}

/* The smallest name behind `last`; NULL at the end. Few enough to look through each time. */
static const struct sign_pair *next_subresource(const struct sign_request *r, const char *last)
{
    const struct sign_pair *found = NULL;

    for (unsigned i = 0; i < r->query_count; i++) {
        const struct sign_pair *p = &r->query[i];

        if (is_subresource(p->name) && (!last || strcmp(p->name, last) > 0) &&
            (!found || strcmp(p->name, found->name) < 0))
            found = p;
    }
    return found;
}

/* CanonicalizedResource: values are not encoded here, unlike in the URL. */
static void add_resource(EVP_MAC_CTX *m, const struct sign_request *r)
{
    const struct sign_pair *p = next_subresource(r, NULL);

    add(m, r->resource);
    for (const char *separator = "?"; p; p = next_subresource(r, p->name), separator = "&") {
        add(m, separator);
        add(m, p->name);
        add(m, *p->value ? "=" : "");
        add(m, p->value);
    }
}

/* The base64 of what was added. */
static int finish_mac(EVP_MAC_CTX *m, unsigned char base64[BASE64_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t size;

    if (EVP_MAC_final(m, digest, &size, sizeof(digest)) != 1 || size != DIGEST_SIZE)
        return -ENOMEM;
    EVP_EncodeBlock(base64, digest, DIGEST_SIZE);
    return 0;
}

static int make_authorization(const struct sign_request *r, const struct credentials *c, const char *date,
                              struct secret **ret)
{
    CLEANUP(mac_free) EVP_MAC_CTX *m = NULL;
    CLEANUP(buf_done) struct buf text = {0};
    unsigned char base64[BASE64_SIZE];
    int result = mac_new(c, &m);

    if (result < 0)
        return result;
    add(m, r->method);
    add(m, "\n");
    add_header(m, r, "Content-MD5");
    add_header(m, r, "Content-Type");
    add(m, "\n"); /* x-obs-date stands for Date */
    if ((result = add_own_headers(m, r, c, date)) < 0)
        return result;
    add_resource(m, r);
    if ((result = finish_mac(m, base64)) < 0 ||
        (result = buf_printf(&text, "OBS %s:%s", c->access_key, (const char *)base64)) < 0)
        return result;
    return (*ret = secret_new(text.data, text.size)) ? 0 : -ENOMEM;
}

int obssign_sign(const struct sign_request *r, const struct credentials *c, struct signature *ret)
{
    struct signature made = {0};

    clock_format_http(r->time_ns, made.date);
    if (sign_query(r, "", &made.query) < 0 || make_authorization(r, c, made.date, &made.authorization) < 0) {
        signature_done(&made);
        return -ENOMEM; /* a text beyond a buffer's ceiling is no better */
    }
    *ret = made;
    return 0;
}

/* Expires stands for the date; a token is a parameter, and as such part of the resource. */
static int sign_url(const struct sign_request *r, const struct credentials *c, const char *expires,
                    unsigned char base64[BASE64_SIZE])
{
    CLEANUP(mac_free) EVP_MAC_CTX *m = NULL;
    int result = mac_new(c, &m);

    if (result < 0)
        return result;
    add(m, r->method);
    add(m, "\n");
    add_header(m, r, "Content-MD5");
    add_header(m, r, "Content-Type");
    add(m, expires);
    add(m, "\n");
    if ((result = add_own_headers(m, r, c, NULL)) < 0)
        return result;
    add_resource(m, r);
    return finish_mac(m, base64);
}

static int presign(struct sign_request *r, const struct credentials *c, const char *expires, struct secret **ret_query)
{
    CLEANUP_FREE struct sign_pair *pairs = calloc(r->query_count + URL_PARAMETERS, sizeof(*pairs));
    CLEANUP_FREE char *query = NULL;
    unsigned char base64[BASE64_SIZE];
    int result;

    if (!pairs)
        return -ENOMEM;
    for (unsigned i = 0; i < r->query_count; i++)
        pairs[i] = r->query[i];
    r->query = pairs;
    if (c->token)
        pairs[r->query_count++] = (struct sign_pair){"x-obs-security-token", secret_expose(c->token)};
    if ((result = sign_url(r, c, expires, base64)) < 0)
        return result;
    pairs[r->query_count++] = (struct sign_pair){"AccessKeyId", c->access_key};
    pairs[r->query_count++] = (struct sign_pair){"Expires", expires};
    pairs[r->query_count++] = (struct sign_pair){"Signature", (const char *)base64};
    if ((result = sign_query(r, "", &query)) < 0)
        return result;
    *ret_query = secret_new(query, strlen(query));
    explicit_bzero(query, strlen(query));
    return *ret_query ? 0 : -ENOMEM;
}

int obssign_presign(const struct sign_request *r, const struct credentials *c, uint64_t valid_s,
                    struct secret **ret_query)
{
    struct sign_request request = *r;
    char expires[24];

    snprintf(expires, sizeof(expires), "%" PRIu64, (uint64_t)(r->time_ns / 1000000000) + valid_s);
    return presign(&request, c, expires, ret_query) < 0 ? -ENOMEM : 0;
}
