/* SPDX-License-Identifier: Apache-2.0
 *
 * ETags of parts: parsing, printing, and the two sums over them.
 */
#include "store/s3/s3_part_etag.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { MD5_SIZE = 16, MD5_HEX = 2 * MD5_SIZE };
static const char HEX[] = "0123456789abcdefABCDEF";

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

/* "sha256=BASE64" */
static int checksum_parse(const char *text, struct s3_part_etag *ret)
{
    const char *equals = strchr(text, '=');
    unsigned char raw[S3_CHECKSUM_BYTES];

    for (enum s3_checksum kind = S3_CHECKSUM_NONE + 1; equals && kind < S3_CHECKSUM_END; kind++) {
        const char *word = S3_CHECKSUMS[kind].word;

        if (strlen(word) == (size_t)(equals - text) && text_starts(text, word)) {
            ret->checksum = kind;
            if (s3_checksum_decode(kind, equals + 1, raw) < 0)
                return -EBADMSG;
            memcpy(ret->sum, equals + 1, strlen(equals + 1) + 1);
            return 0;
        }
    }
    return -EBADMSG;
}

int s3_part_etag_parse(const char *text, struct s3_part_etag *ret)
{
    struct s3_part_etag r = {0};
    size_t size = strcspn(text, " ");

    if (!etag_valid(text, size))
        return -EBADMSG;
    memcpy(r.etag, text, size);
    if (text[size] && checksum_parse(text + size + 1, &r) < 0)
        return -EBADMSG;
    *ret = r;
    return 0;
}

const char *s3_part_etag_format(const struct s3_part_etag *r, char out[S3_PART_ETAG_MAX])
{
    if (r->checksum == S3_CHECKSUM_NONE)
        snprintf(out, S3_PART_ETAG_MAX, "%s", r->etag);
    else
        snprintf(out, S3_PART_ETAG_MAX, "%s %s=%s", r->etag, S3_CHECKSUMS[r->checksum].word, r->sum);
    return out;
}

int s3_complete_body(char *const *part_etags, unsigned count, struct buf *ret)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct s3_part_etag part;
    int r = buf_add_text(&b, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");

    for (unsigned i = 0; r == 0 && i < count; i++) {
        if ((r = s3_part_etag_parse(part_etags[i], &part)) < 0)
            return r;
        r = buf_printf(&b, "<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag>", i + 1, part.etag);
        if (r == 0 && part.checksum != S3_CHECKSUM_NONE)
            r = buf_printf(&b, "<%s>%s</%s>", S3_CHECKSUMS[part.checksum].element, part.sum,
                           S3_CHECKSUMS[part.checksum].element);
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

/* The bytes of a part's checksum, or of the MD5 that its ETag is (NONE). */
static int add_bytes(const char *part_etag, enum s3_checksum kind, struct buf *ret)
{
    unsigned char raw[S3_CHECKSUM_BYTES];
    struct s3_part_etag part;

    if (s3_part_etag_parse(part_etag, &part) < 0)
        return -ENOENT;
    if (kind == S3_CHECKSUM_NONE) {
        if (!s3_etag_is_md5(part.etag) || text_unhex(part.etag, raw, MD5_SIZE) < 0)
            return -ENOENT;
        return buf_add(ret, raw, MD5_SIZE);
    }
    if (part.checksum != kind || s3_checksum_decode(kind, part.sum, raw) < 0)
        return -ENOENT;
    return buf_add(ret, raw, S3_CHECKSUMS[kind].size);
}

static int all_bytes(char *const *part_etags, unsigned count, enum s3_checksum kind, struct buf *ret)
{
    int r = 0;

    for (unsigned i = 0; r == 0 && i < count; i++)
        r = add_bytes(part_etags[i], kind, ret);
    return r;
}

int s3_whole_etag(char *const *part_etags, unsigned count, char out[S3_WHOLE_MAX])
{
    CLEANUP(buf_done) struct buf bytes = {0};
    unsigned char raw[EVP_MAX_MD_SIZE];
    char hex[MD5_HEX + 1];
    int r = all_bytes(part_etags, count, S3_CHECKSUM_NONE, &bytes);

    if (r < 0)
        return r;
    if (EVP_Digest(bytes.data, bytes.size, raw, NULL, EVP_md5(), NULL) != 1)
        return -ENOTSUP;
    text_hex(raw, MD5_SIZE, hex);
    snprintf(out, S3_WHOLE_MAX, "%s-%u", hex, count);
    return 0;
}

int s3_whole_checksum(char *const *part_etags, unsigned count, enum s3_checksum kind, char out[S3_WHOLE_MAX])
{
    CLEANUP(buf_done) struct buf bytes = {0};
    char base64[S3_CHECKSUM_MAX];
    int r;

    assert(kind != S3_CHECKSUM_NONE);
    if ((r = all_bytes(part_etags, count, kind, &bytes)) < 0 ||
        (r = s3_checksum_of(kind, bytes.data, bytes.size, base64)) < 0)
        return r;
    snprintf(out, S3_WHOLE_MAX, "%s-%u", base64, count);
    return 0;
}
