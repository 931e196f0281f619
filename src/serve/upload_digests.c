/* SPDX-License-Identifier: Apache-2.0
 *
 * The object's SHA-256 is always known (incoming.h). What else a client asks for is computed for it alone.
 */
#include "serve/upload_digests.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

enum { READ_STEP = 32 * 1024 };

static EVP_MD_CTX *new_context(const EVP_MD *md)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();

    if (c && EVP_DigestInit_ex(c, md, NULL) == 1)
        return c;
    EVP_MD_CTX_free(c);
    return NULL;
}

int upload_digests_init(struct upload_digests *d, const struct exchange *x, struct err *e)
{
    struct upload_digests found = {0};

    if (digest_field_parse(exchange_header(x, "Content-Digest"), &found.content) < 0)
        return err_set(e, -FAULT_USAGE, "Content-Digest is malformed: RFC 9530 has it as sha-256=:BASE64:");
    if (digest_field_parse(exchange_header(x, "Repr-Digest"), &found.repr) < 0)
        return err_set(e, -FAULT_USAGE, "Repr-Digest is malformed: RFC 9530 has it as sha-256=:BASE64:");
    if ((found.content.has_sha256 && !(found.sha256 = new_context(EVP_sha256()))) ||
        (found.content.has_sha512 && !(found.sha512 = new_context(EVP_sha512())))) {
        upload_digests_done(&found);
        return err_set(e, -ENOMEM, "out of memory");
    }
    *d = found;
    return 0;
}

void upload_digests_done(struct upload_digests *d)
{
    EVP_MD_CTX_free(d->sha256);
    EVP_MD_CTX_free(d->sha512);
    *d = (struct upload_digests){0};
}

void upload_digests_add(struct upload_digests *d, const void *data, size_t size)
{
    if (d->sha256)
        EVP_DigestUpdate(d->sha256, data, size);
    if (d->sha512)
        EVP_DigestUpdate(d->sha512, data, size);
}

static bool matches(EVP_MD_CTX *c, const unsigned char *wanted)
{
    unsigned char is[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    return EVP_DigestFinal_ex(c, is, &size) == 1 && memcmp(is, wanted, size) == 0;
}

static int fail_differs(const char *field, const char *algorithm, struct err *e)
{
    return err_set(e, -FAULT_CORRUPT, "%s: what arrived has another %s digest: nothing is stored", field, algorithm);
}

int upload_digests_check_content(struct upload_digests *d, struct err *e)
{
    if (d->sha256 && !matches(d->sha256, d->content.sha256))
        return fail_differs("Content-Digest", "sha-256", e);
    if (d->sha512 && !matches(d->sha512, d->content.sha512))
        return fail_differs("Content-Digest", "sha-512", e);
    return 0;
}

static int check_sha512(const struct upload_digests *d, int fd, struct err *e)
{
    EVP_MD_CTX *c = new_context(EVP_sha512());
    unsigned char data[READ_STEP];
    uint64_t at = 0;
    ssize_t n;
    int r = c ? 0 : -ENOMEM;

    while (r == 0 && (n = file_pread(fd, data, sizeof(data), at)) != 0) {
        if (n < 0)
            r = (int)n;
        else
            EVP_DigestUpdate(c, data, (size_t)n);
        at += n > 0 ? (uint64_t)n : 0;
    }
    if (r < 0)
        r = err_set(e, r, "the upload cannot be read again: %s", strerror(-r));
    else if (!matches(c, d->repr.sha512))
        r = fail_differs("Repr-Digest", "sha-512", e);
    EVP_MD_CTX_free(c);
    return r;
}

int upload_digests_check_whole(const struct upload_digests *d, int fd, const unsigned char *sha256, struct err *e)
{
    if (d->repr.has_sha256 && memcmp(d->repr.sha256, sha256, DIGEST_SHA256_SIZE) != 0)
        return fail_differs("Repr-Digest", "sha-256", e);
    return d->repr.has_sha512 ? check_sha512(d, fd, e) : 0;
}
