/* SPDX-License-Identifier: Apache-2.0
 *
 * Receipts: parsing, printing, and the two sums over them.
 */
#include "store/s3/s3_part_etag.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { MD5_SIZE = 16, MD5_HEX = 2 * MD5_SIZE, SHA256_SIZE = 32 };
static const char HEX[] = "0123456789abcdefABCDEF";
static const char SHA256_WORD[] = " sha256=";

/* What can stand in a header, in XML and in a journal's line as it is. */
static bool etag_valid(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"<>&\\", text[i]))
            return false;
    return size > 0 && size < S3_ETAG_SIZE;
}

int s3_etag_parse(const char *header, char out[S3_ETAG_SIZE])
{
    size_t size;

    if (text_starts(header, "W/"))
        header += 2;
    size = strlen(header);
    if (size >= 2 && header[0] == '"' && header[size - 1] == '"') {
        header++;
        size -= 2;
    }
    if (!etag_valid(header, size))
        return -EBADMSG;
    memcpy(out, header, size);
    out[size] = '\0';
    return 0;
}

bool s3_etag_is_md5(const char *etag)
{
    return strlen(etag) == MD5_HEX && strspn(etag, HEX) == MD5_HEX;
}

bool s3_etag_is_sum(const char *etag)
{
    const char *number;

    if (strspn(etag, HEX) != MD5_HEX || etag[MD5_HEX] != '-')
        return false;
    number = etag + MD5_HEX + 1;
    return *number && !number[strspn(number, "0123456789")];
}

static int sha256_decode(const char *base64, unsigned char out[SHA256_SIZE])
{
    unsigned char raw[SHA256_SIZE + 4];

    /* 44 characters for 32 bytes: the last one is padding, which EVP_DecodeBlock decodes to a zero byte. */
    if (strlen(base64) != 44 || base64[43] != '=' || base64[42] == '=' ||
        EVP_DecodeBlock(raw, (const unsigned char *)base64, 44) != SHA256_SIZE + 1)
        return -EBADMSG;
    memcpy(out, raw, SHA256_SIZE);
    return 0;
}

int s3_part_etag_parse(const char *text, struct s3_part_etag *ret)
{
    struct s3_part_etag r = {0};
    const char *word = strstr(text, SHA256_WORD);
    size_t size = word ? (size_t)(word - text) : strlen(text);
    unsigned char raw[SHA256_SIZE];

    if (!etag_valid(text, size))
        return -EBADMSG;
    memcpy(r.etag, text, size);
    if (word) {
        word += strlen(SHA256_WORD);
        if (sha256_decode(word, raw) < 0)
            return -EBADMSG;
        memcpy(r.sha256, word, S3_SHA256_MAX);
    }
    *ret = r;
    return 0;
}

const char *s3_part_etag_format(const struct s3_part_etag *r, char out[S3_PART_ETAG_MAX])
{
    snprintf(out, S3_PART_ETAG_MAX, "%s%s%s", r->etag, *r->sha256 ? SHA256_WORD : "", r->sha256);
    return out;
}

int s3_complete_body(char *const *receipts, unsigned count, struct buf *ret)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct s3_part_etag part;
    int r = buf_add_text(&b, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");

    for (unsigned i = 0; r == 0 && i < count; i++) {
        if ((r = s3_part_etag_parse(receipts[i], &part)) < 0)
            return r;
        r = buf_printf(&b, "<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag>", i + 1, part.etag);
        if (r == 0 && *part.sha256)
            r = buf_printf(&b, "<ChecksumSHA256>%s</ChecksumSHA256>", part.sha256);
        if (r == 0)
            r = buf_add_text(&b, "</Part>");
    }
    if (r == 0)
        r = buf_add_text(&b, "</CompleteMultipartUpload>");
    if (r < 0)
        return r;
    *ret = b;
    b = (struct buf){0};
    return 0;
}

static int md5_of(const struct s3_part_etag *part, unsigned char *out)
{
    return s3_etag_is_md5(part->etag) ? text_unhex(part->etag, out, MD5_SIZE) : -ENOENT;
}

static int sha256_of(const struct s3_part_etag *part, unsigned char *out)
{
    return *part->sha256 ? sha256_decode(part->sha256, out) : -ENOENT;
}

/* The digest of the parts' digests. */
static int sum(char *const *receipts, unsigned count, const EVP_MD *type,
               int (*digest_of)(const struct s3_part_etag *, unsigned char *), unsigned char out[EVP_MAX_MD_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char raw[SHA256_SIZE];
    struct s3_part_etag part;
    int r = ctx && EVP_DigestInit_ex(ctx, type, NULL) == 1 ? 0 : -ENOTSUP;

    for (unsigned i = 0; r == 0 && i < count; i++) {
        if (s3_part_etag_parse(receipts[i], &part) < 0 || digest_of(&part, raw) < 0)
            r = -ENOENT;
        else if (EVP_DigestUpdate(ctx, raw, (size_t)EVP_MD_get_size(type)) != 1)
            r = -ENOTSUP;
    }
    if (r == 0 && EVP_DigestFinal_ex(ctx, out, NULL) != 1)
        r = -ENOTSUP;
    EVP_MD_CTX_free(ctx);
    return r;
}

int s3_whole_etag(char *const *receipts, unsigned count, char out[S3_WHOLE_MAX])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    char hex[MD5_HEX + 1];
    int r = sum(receipts, count, EVP_md5(), md5_of, raw);

    if (r < 0)
        return r;
    text_hex(raw, MD5_SIZE, hex);
    snprintf(out, S3_WHOLE_MAX, "%s-%u", hex, count);
    return 0;
}

int s3_whole_sha256(char *const *receipts, unsigned count, char out[S3_WHOLE_MAX])
{
    unsigned char raw[EVP_MAX_MD_SIZE], base64[S3_SHA256_MAX];
    int r = sum(receipts, count, EVP_sha256(), sha256_of, raw);

    if (r < 0)
        return r;
    EVP_EncodeBlock(base64, raw, SHA256_SIZE);
    snprintf(out, S3_WHOLE_MAX, "%s-%u", (const char *)base64, count);
    return 0;
}
