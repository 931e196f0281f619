/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Sealed: base64url of version, end (8 bytes, big endian), nonce, ciphertext, tag; version and end are
 * authenticated with it. The nonce is random: 2^32 sealed texts are safe with one key.
 */
#include "serve/seal.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/base64url.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    VERSION = 1,
    HEAD = 9,
    NONCE = 12,
    TAG = 16,
    OVERHEAD = HEAD + NONCE + TAG,
    RAW_MAX = OVERHEAD + SEAL_PLAIN_MAX
};

_Static_assert((RAW_MAX + 2) / 3 * 4 < SEAL_MAX, "a sealed text has room");

static void cipher_free(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c);
}

void seal_key_derive(const void *secret, size_t size, const char *purpose, struct seal_key *ret)
{
    unsigned written = SEAL_KEY;

    assert(size <= INT32_MAX);
    HMAC(EVP_sha256(), secret, (int)size, (const unsigned char *)purpose, strlen(purpose), ret->byte, &written);
}

static void make_head(int64_t expires_s, unsigned char head[HEAD])
{
    head[0] = VERSION;
    for (int i = 0; i < 8; i++)
        head[1 + i] = (unsigned char)((uint64_t)expires_s >> (56 - 8 * i));
}

static int64_t head_expires(const unsigned char head[HEAD])
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | head[1 + i];
    return (int64_t)value;
}

/* raw[0, HEAD + NONCE) is there. */
static bool encrypt(const struct seal_key *k, unsigned char *raw, const unsigned char *plain, int size)
{
    CLEANUP(cipher_free) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    unsigned char *to = raw + HEAD + NONCE;
    int n;

    return c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, k->byte, raw + HEAD) == 1 &&
           EVP_EncryptUpdate(c, NULL, &n, raw, HEAD) == 1 && EVP_EncryptUpdate(c, to, &n, plain, size) == 1 &&
           EVP_EncryptFinal_ex(c, to + n, &n) == 1 && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, to + size) == 1;
}

static bool decrypt(const struct seal_key *k, unsigned char *raw, int size, unsigned char *plain)
{
    CLEANUP(cipher_free) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    unsigned char *from = raw + HEAD + NONCE;
    int n;

    return c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, k->byte, raw + HEAD) == 1 &&
           EVP_DecryptUpdate(c, NULL, &n, raw, HEAD) == 1 && EVP_DecryptUpdate(c, plain, &n, from, size) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, from + size) == 1 &&
           EVP_DecryptFinal_ex(c, plain + n, &n) == 1;
}

int seal_close(const struct seal_key *k, const struct secret *plain, int64_t expires_s, char out[SEAL_MAX])
{
    unsigned char raw[RAW_MAX];
    size_t size = secret_size(plain);

    assert(k && plain && out);
    if (size > SEAL_PLAIN_MAX)
        return -EMSGSIZE;
    make_head(expires_s, raw);
    if (RAND_bytes(raw + HEAD, NONCE) != 1 || !encrypt(k, raw, (const unsigned char *)secret_expose(plain), (int)size))
        return -EIO;
    return base64url_encode(raw, OVERHEAD + size, out, SEAL_MAX);
}

int seal_open(const struct seal_key *k, const char *text, int64_t now_s, struct secret **ret)
{
    unsigned char raw[RAW_MAX], plain[SEAL_PLAIN_MAX + 1];
    ssize_t size;

    assert(k && text && ret);
    size = base64url_decode(text, strlen(text), raw, sizeof(raw));
    if (size <= OVERHEAD || raw[0] != VERSION || !decrypt(k, raw, (int)size - OVERHEAD, plain) ||
        head_expires(raw) <= now_s)
        return -EBADMSG;
    *ret = secret_new((const char *)plain, (size_t)size - OVERHEAD);
    OPENSSL_cleanse(plain, sizeof(plain));
    return *ret ? 0 : -ENOMEM;
}

void seal_sign(const struct seal_key *k, const char *const *texts, char out[SEAL_SIGNATURE_HEX])
{
    unsigned char signature[SEAL_KEY], digest[SEAL_KEY];
    unsigned written = SEAL_KEY;

    /* Each text adds its own signature: where one ends and the next begins cannot be shifted. */
    memset(signature, 0, sizeof(signature));
    for (; *texts; texts++) {
        unsigned char both[2 * SEAL_KEY];

        HMAC(EVP_sha256(), k->byte, SEAL_KEY, (const unsigned char *)*texts, strlen(*texts), digest, &written);
        memcpy(both, signature, SEAL_KEY);
        memcpy(both + SEAL_KEY, digest, SEAL_KEY);
        HMAC(EVP_sha256(), k->byte, SEAL_KEY, both, sizeof(both), signature, &written);
    }
    text_hex(signature, sizeof(signature), out);
}

int seal_check(const struct seal_key *k, const char *const *texts, const char *signature)
{
    char wanted[SEAL_SIGNATURE_HEX];

    seal_sign(k, texts, wanted);
    if (strlen(signature) != sizeof(wanted) - 1)
        return -EBADMSG;
    return CRYPTO_memcmp(wanted, signature, sizeof(wanted) - 1) == 0 ? 0 : -EBADMSG;
}
