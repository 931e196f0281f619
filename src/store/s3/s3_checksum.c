/* SPDX-License-Identifier: Apache-2.0
 *
 * The table, and base64 of a known length.
 */
#include "store/s3/s3_checksum.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#include "codec/crc32c.h"

enum { CRC_BYTES = 4 };

const struct s3_checksum_names S3_CHECKSUMS[S3_CHECKSUM_END] = {
    [S3_CHECKSUM_SHA256] = {"SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", "sha256", S3_CHECKSUM_BYTES},
    [S3_CHECKSUM_CRC32C] = {"CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", "crc32c", CRC_BYTES},
};

int s3_checksum_of(enum s3_checksum kind, const void *data, size_t size, char out[S3_CHECKSUM_MAX])
{
    unsigned char raw[EVP_MAX_MD_SIZE];

    assert(kind == S3_CHECKSUM_SHA256 || kind == S3_CHECKSUM_CRC32C);
    if (kind == S3_CHECKSUM_CRC32C) {
        uint32_t crc = crc32c(0, data, size);

        for (unsigned i = 0; i < CRC_BYTES; i++)
            raw[i] = (unsigned char)(crc >> (24 - 8 * i));
    } else if (EVP_Digest(size ? data : "", size, raw, NULL, EVP_sha256(), NULL) != 1) {
        return -ENOMEM;
    }
    EVP_EncodeBlock((unsigned char *)out, raw, (int)S3_CHECKSUMS[kind].size);
    return 0;
}

int s3_checksum_decode(enum s3_checksum kind, const char *base64, unsigned char out[S3_CHECKSUM_BYTES])
{
    size_t size = S3_CHECKSUMS[kind].size, length = (size + 2) / 3 * 4, padding = (3 - size % 3) % 3;
    unsigned char raw[S3_CHECKSUM_BYTES + 4];

    assert(kind != S3_CHECKSUM_NONE);
    /* EVP_DecodeBlock decodes padding to zero bytes. */
    if (strlen(base64) != length || strcspn(base64, "=") != length - padding ||
        EVP_DecodeBlock(raw, (const unsigned char *)base64, (int)length) != (int)(size + padding))
        return -EBADMSG;
    memcpy(out, raw, size);
    return 0;
}
