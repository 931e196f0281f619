/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What was decoded is wiped.
 */
#include "serve/credential.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum { BASIC_MAX = (CREDENTIAL_MAX + 256 + 2) / 3 * 4 };

static int make(const char *token, size_t size, struct secret **ret)
{
    struct secret *s;

    if (size == 0 || size > CREDENTIAL_MAX)
        return -EINVAL;
    for (size_t i = 0; i < size; i++)
        if (token[i] <= ' ' || token[i] >= 0x7f)
            return -EINVAL;
    if (!(s = secret_new(token, size)))
        return -ENOMEM;
    *ret = s;
    return 0;
}

static int from_basic(const char *encoded, struct secret **ret)
{
    size_t size = strlen(encoded), padding = 0;
    unsigned char pair[BASIC_MAX / 4 * 3 + 1];
    const char *colon;
    int count, r;

    if (size == 0 || size % 4 != 0 || size > BASIC_MAX)
        return -EINVAL;
    while (padding < 2 && encoded[size - 1 - padding] == '=')
        padding++;
    count = EVP_DecodeBlock(pair, (const unsigned char *)encoded, (int)size);
    if (count < (int)padding)
        return -EINVAL;
    count -= (int)padding;
    pair[count] = '\0';
    colon = memchr(pair, ':', (size_t)count);
    r = colon ? make(colon + 1, (size_t)count - (size_t)(colon + 1 - (const char *)pair), ret) : -EINVAL;
    OPENSSL_cleanse(pair, sizeof(pair));
    return r;
}

int credential_parse(const char *header, struct secret **ret)
{
    static const char BEARER[] = "Bearer ", BASIC[] = "Basic ";

    assert(header && ret);
    if (strncasecmp(header, BEARER, strlen(BEARER)) == 0) {
        header += strlen(BEARER);
        header += strspn(header, " ");
        return make(header, strlen(header), ret);
    }
    if (strncasecmp(header, BASIC, strlen(BASIC)) == 0) {
        header += strlen(BASIC);
        return from_basic(header + strspn(header, " "), ret);
    }
    return -EINVAL;
}
