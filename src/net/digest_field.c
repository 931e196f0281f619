/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. By the grammar of structured fields.
 */
#include "net/digest_field.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "net/structured.h"

static bool is_name(const char *key, size_t size, const char *name)
{
    return size == strlen(name) && memcmp(key, name, size) == 0;
}

static int take(const struct structured *value, unsigned char *out, size_t size, bool *has)
{
    *has = true;
    return value->type == STRUCTURED_BYTES && structured_bytes(value, out, size) == (int)size ? 0 : -EBADMSG;
}

int digest_field_parse(const char *field, struct digest_field *ret)
{
    struct structured_reader reader = {.at = field};
    struct digest_field found = {0};
    struct structured value;
    const char *key;
    size_t size;
    int r = 1;

    while (field && r > 0 && (r = structured_next(&reader, &key, &size, &value)) > 0) {
        int taken = 0;

        if (is_name(key, size, "sha-256"))
            taken = take(&value, found.sha256, sizeof(found.sha256), &found.has_sha256);
        else if (is_name(key, size, "sha-512"))
            taken = take(&value, found.sha512, sizeof(found.sha512), &found.has_sha512);
        if (taken < 0)
            return taken;
    }
    if (r < 0)
        return r;
    *ret = found;
    return 0;
}

const char *digest_field_format(const unsigned char sha256[DIGEST_SHA256_SIZE], char *out)
{
    unsigned char text[48];

    EVP_EncodeBlock(text, sha256, DIGEST_SHA256_SIZE);
    snprintf(out, DIGEST_FIELD_MAX, "sha-256=:%s:", (const char *)text);
    return out;
}
