/* SPDX-License-Identifier: Apache-2.0
 *
 * The canonical request goes straight into the hash, piece by piece: no text with a session token in it lies about.
 */
#include "net/sigv4.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    DIGEST_SIZE = 32,
    OWN_HEADERS = 4,
    OWN_PARAMETERS = 6,
    DAY_SIZE = 8 /* of 20130524T000000Z */
};

static void hash_ctx_free(EVP_MD_CTX **c)
{
    EVP_MD_CTX_free(*c);
}

/* All headers to be signed, sorted: the request's and those that belong to signing. Borrowed values. */
static int make_headers(const struct sign_request *r, const struct credentials *c, const char *date,
                        struct sign_pair **ret, size_t *ret_count)
{
    struct sign_pair *pairs = calloc(r->header_count + OWN_HEADERS, sizeof(*pairs));
    if (!pairs)
        return -ENOMEM;
    size_t count = 0;
    for (unsigned i = 0; i < r->header_count; i++)
        pairs[count++] = r->headers[i];
    pairs[count++] = (struct sign_pair){"host", r->host};
    pairs[count++] = (struct sign_pair){"x-amz-date", date};
    if (text_eq(r->service, "s3"))
        pairs[count++] = (struct sign_pair){"x-amz-content-sha256", r->payload_sha256};
    if (c->token)
        pairs[count++] = (struct sign_pair){"x-amz-security-token", secret_expose(c->token)};
    sign_sort_headers(pairs, count);
    *ret = pairs;
    *ret_count = count;
    return 0;
}

/* Of a URL: what its bearer sends, too. */
static int make_url_headers(const struct sign_request *r, struct sign_pair **ret, size_t *ret_count)
{
    struct sign_pair *pairs = calloc(r->header_count + 1, sizeof(*pairs));

    if (!pairs)
        return -ENOMEM;
    for (unsigned i = 0; i < r->header_count; i++)
        pairs[i] = r->headers[i];
    pairs[r->header_count] = (struct sign_pair){"host", r->host};
    *ret_count = r->header_count + 1;
    sign_sort_headers(pairs, *ret_count);
    *ret = pairs;
    return 0;
}

/* Of a presigned URL. Borrowed. */
struct presign_values {
    const char *credential, *date, *valid, *names;
};

static void hash_text(EVP_MD_CTX *hash, const char *text)
{
    EVP_DigestUpdate(hash, text, strlen(text));
}

static void hash_lower(EVP_MD_CTX *hash, const char *name)
{
    for (; *name; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
        EVP_DigestUpdate(hash, &c, 1);
    }
}

/* White space around it is dropped, within it counts as one space. */
static void hash_value(EVP_MD_CTX *hash, const char *value)
{
    bool begun = false;
    for (;;) {
        value += strspn(value, " \t");
        size_t word = strcspn(value, " \t");
        if (word == 0)
            return;
        if (begun)
            hash_text(hash, " ");
        EVP_DigestUpdate(hash, value, word);
        value += word;
        begun = true;
    }
}

/* The parts of the canonical request that are made of the request. */
struct canonical {
    char *query;               /* owned */
    struct sign_pair *headers; /* sorted; owned */
    size_t count;
    char *names; /* of the headers: "host;x-amz-date"; owned */
};

static void canonical_done(struct canonical *c)
{
    free(c->query);
    free(c->headers);
    free(c->names);
}

/* The hex SHA-256 of the canonical request into out[2 * DIGEST_SIZE + 1]. */
static int hash_request(const struct sign_request *r, const struct canonical *c, char *out)
{
    CLEANUP(hash_ctx_free) EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (!hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    const char *lines[] = {r->method, "\n", r->path, "\n", c->query};
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        hash_text(hash, lines[i]);
    for (size_t i = 0; i < c->count; i++) {
        if (sign_repeats(c->headers, i)) {
            hash_text(hash, ",");
        } else {
            hash_text(hash, "\n");
            hash_lower(hash, c->headers[i].name);
            hash_text(hash, ":");
        }
        hash_value(hash, c->headers[i].value);
    }
    const char *end[] = {"\n\n", c->names, "\n", r->payload_sha256};
    for (size_t i = 0; i < ARRAY_SIZE(end); i++)
        hash_text(hash, end[i]);
    unsigned char digest[DIGEST_SIZE];
    if (EVP_DigestFinal_ex(hash, digest, NULL) != 1)
        return -ENOMEM;
    text_hex(digest, sizeof(digest), out);
    return 0;
}

/* "host;x-amz-date" */
static int make_names(const struct sign_pair *headers, size_t count, char **ret)
{
    CLEANUP(buf_done) struct buf text = {0};
    for (size_t i = 0; i < count; i++) {
        int r = sign_repeats(headers, i) ? 0 : buf_printf(&text, "%s%s", i > 0 ? ";" : "", headers[i].name);
        if (r < 0)
            return r;
    }
    for (char *p = text.data; p && *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return (*ret = buf_take(&text)) ? 0 : -ENOMEM;
}

static int hmac(const void *key, size_t key_size, const char *text, size_t size, unsigned char out[DIGEST_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (!HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, size, digest, NULL))
        return -ENOMEM;
    memcpy(out, digest, DIGEST_SIZE);
    explicit_bzero(digest, sizeof(digest));
    return 0;
}

/* The key for a day, a region and a service: a leaked one is worth little elsewhere. */
static int make_key(const struct sign_request *r, const struct credentials *c, const char *date,
                    unsigned char key[DIGEST_SIZE])
{
    size_t size = sizeof("AWS4") + secret_size(c->secret_key);
    char *first = malloc(size);
    if (!first)
        return -ENOMEM;
    snprintf(first, size, "AWS4%s", secret_expose(c->secret_key));
    int result = hmac(first, strlen(first), date, DAY_SIZE, key);
    explicit_bzero(first, size);
    free(first);
    const char *steps[] = {r->region, r->service, "aws4_request"};
    for (size_t i = 0; i < ARRAY_SIZE(steps) && result == 0; i++)
        result = hmac(key, DIGEST_SIZE, steps[i], strlen(steps[i]), key);
    return result;
}

static int make_signature(const struct sign_request *r, const struct credentials *c, const char *date,
                          const char *request_sha256, char *out)
{
    CLEANUP(buf_done) struct buf text = {0};
    unsigned char key[DIGEST_SIZE], signature[DIGEST_SIZE];
    int result = buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%.*s/%s/%s/aws4_request\n%s", date, DAY_SIZE, date, r->region,
                            r->service, request_sha256);
    if (result == 0)
        result = make_key(r, c, date, key);
    if (result == 0)
        result = hmac(key, sizeof(key), text.data, text.size, signature);
    explicit_bzero(key, sizeof(key));
    if (result == 0)
        text_hex(signature, sizeof(signature), out);
    return result;
}

static int make_authorization(const struct sign_request *r, const struct credentials *c, const char *date,
                              const struct canonical *canonical, struct secret **ret)
{
    CLEANUP(buf_done) struct buf text = {0};
    char request_sha256[2 * DIGEST_SIZE + 1], signature[2 * DIGEST_SIZE + 1];
    int result = hash_request(r, canonical, request_sha256);
    if (result == 0)
        result = make_signature(r, c, date, request_sha256, signature);
    if (result == 0)
        result =
            buf_printf(&text, "AWS4-HMAC-SHA256 Credential=%s/%.*s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
                       c->access_key, DAY_SIZE, date, r->region, r->service, canonical->names, signature);
    if (result < 0)
        return result;
    return (*ret = secret_new(text.data, text.size)) ? 0 : -ENOMEM;
}

int sigv4_sign(const struct sign_request *r, const struct credentials *c, struct signature *ret)
{
    CLEANUP(canonical_done) struct canonical canonical = {0};
    struct signature made = {0};
    char date[CLOCK_TEXT_MAX];
    assert(r->method && r->host && r->path && r->payload_sha256 && r->region && r->service);
    clock_format_basic(r->time_ns, date);
    int result = sign_query(r, "=", &canonical.query);
    if (result == 0)
        result = make_headers(r, c, date, &canonical.headers, &canonical.count);
    if (result == 0)
        result = make_names(canonical.headers, canonical.count, &canonical.names);
    if (result == 0)
        result = make_authorization(r, c, date, &canonical, &made.authorization);
    if (result < 0)
        return -ENOMEM; /* a text beyond a buffer's ceiling is no better */
    memcpy(made.date, date, sizeof(made.date));
    made.query = TAKE_PTR(canonical.query);
    *ret = made;
    return 0;
}

/* The request with the parameters that belong to signing; query_count is its own plus these. */
static int add_parameters(struct sign_request *r, const struct credentials *c, const struct presign_values *v,
                          struct sign_pair **ret)
{
    struct sign_pair *pairs = calloc(r->query_count + OWN_PARAMETERS, sizeof(*pairs));
    unsigned count = r->query_count;

    if (!pairs)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++)
        pairs[i] = r->query[i];
    pairs[count++] = (struct sign_pair){"X-Amz-Algorithm", "AWS4-HMAC-SHA256"};
    pairs[count++] = (struct sign_pair){"X-Amz-Credential", v->credential};
    pairs[count++] = (struct sign_pair){"X-Amz-Date", v->date};
    pairs[count++] = (struct sign_pair){"X-Amz-Expires", v->valid};
    pairs[count++] = (struct sign_pair){"X-Amz-SignedHeaders", v->names};
    if (c->token)
        pairs[count++] = (struct sign_pair){"X-Amz-Security-Token", secret_expose(c->token)};
    r->query = pairs;
    r->query_count = count;
    *ret = pairs;
    return 0;
}

static int presign(struct sign_request *r, const struct credentials *c, struct presign_values *v,
                   struct secret **ret_query)
{
    CLEANUP(canonical_done) struct canonical canonical = {0};
    CLEANUP(buf_done) struct buf credential = {0}, text = {0};
    CLEANUP_FREE struct sign_pair *pairs = NULL;
    char request_sha256[2 * DIGEST_SIZE + 1], signature[2 * DIGEST_SIZE + 1];
    int result =
        buf_printf(&credential, "%s/%.*s/%s/%s/aws4_request", c->access_key, DAY_SIZE, v->date, r->region, r->service);

    if (result < 0)
        return result;
    v->credential = buf_text(&credential);
    if ((result = make_url_headers(r, &canonical.headers, &canonical.count)) < 0 ||
        (result = make_names(canonical.headers, canonical.count, &canonical.names)) < 0)
        return result;
    v->names = canonical.names;
    if ((result = add_parameters(r, c, v, &pairs)) < 0 || (result = sign_query(r, "=", &canonical.query)) < 0 ||
        (result = hash_request(r, &canonical, request_sha256)) < 0 ||
        (result = make_signature(r, c, v->date, request_sha256, signature)) < 0 ||
        (result = buf_printf(&text, "%s&X-Amz-Signature=%s", canonical.query, signature)) < 0)
        return result;
    *ret_query = secret_new(text.data, text.size);
    explicit_bzero(text.data, text.size);
    explicit_bzero(canonical.query, strlen(canonical.query));
    return *ret_query ? 0 : -ENOMEM;
}

int sigv4_presign(const struct sign_request *r, const struct credentials *c, uint64_t valid_s,
                  struct secret **ret_query)
{
    struct sign_request request = *r;
    char date[CLOCK_TEXT_MAX], valid[24];
    struct presign_values v = {.date = date, .valid = valid};

    assert(r->method && r->host && r->path && r->region && r->service && ret_query);
    request.payload_sha256 = "UNSIGNED-PAYLOAD";
    clock_format_basic(r->time_ns, date);
    snprintf(valid, sizeof(valid), "%" PRIu64, valid_s);
    return presign(&request, c, &v, ret_query) < 0 ? -ENOMEM : 0;
}
