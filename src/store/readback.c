/* SPDX-License-Identifier: Apache-2.0
 *
 * A running SHA-256 that is compared at its end. Can't be put down and taken up: that is codec/digest.h's.
 */
#include "store/readback.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>

#include "base/text.h"
#include "store/sink.h"

int readback_init(struct readback *c)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();

    if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(digest);
        return -ENOMEM;
    }
    *c = (struct readback){.digest = digest};
    return 0;
}

int readback_add(struct readback *c, const void *data, size_t size)
{
    assert(c->digest);
    if (EVP_DigestUpdate(c->digest, data, size) != 1)
        return -ENOMEM;
    c->size += size;
    return 0;
}

int readback_hex(struct readback *c, char out[65])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned size;

    assert(c->digest);
    if (EVP_DigestFinal_ex(c->digest, raw, &size) != 1)
        return -ENOMEM;
    text_hex(raw, size, out);
    return 0;
}

void readback_done(struct readback *c)
{
    EVP_MD_CTX_free(c->digest);
    *c = (struct readback){0};
}

int readback_same(struct readback *c, const struct whole *w, const char *what, struct err *e)
{
    char hex[65];

    assert(c->digest && w->sha256[0]);
    if (c->size != w->size)
        return err_set(e, -FAULT_CORRUPT, "%s has %" PRIu64 " bytes instead of %" PRIu64 ": it was damaged on its way",
                       what, c->size, w->size);
    if (readback_hex(c, hex) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    if (!text_eq(hex, w->sha256))
        return err_set(e, -FAULT_CORRUPT, "%s reads back with SHA-256 %s instead of %s: it was damaged on its way",
                       what, hex, w->sha256);
    return 0;
}
