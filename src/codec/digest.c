/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 on OpenSSL's low-level interface, and its state as text: the eight chaining words, the number of bits hashed,
 * and the bytes of an incomplete block. Loading accepts exactly what saving writes.
 */
#include "codec/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { CHAIN_HEX = 2 * SHA256_DIGEST_LENGTH };

_Static_assert(CHAIN_HEX + 1 + 20 + 1 + 2 * (SHA256_CBLOCK - 1) < DIGEST_SAVED_MAX, "a saved state has room");

void digest_init(struct digest *d)
{
    *d = (struct digest){0};
    SHA256_Init(&d->state);
}

void digest_update(struct digest *d, const void *data, size_t size)
{
    SHA256_Update(&d->state, data, size);
}

void digest_raw(const struct digest *d, unsigned char out[SHA256_DIGEST_LENGTH])
{
    SHA256_CTX copy = d->state; /* the padding goes into the copy */

    SHA256_Final(out, &copy);
}

void digest_hex(const struct digest *d, char out[DIGEST_HEX_MAX])
{
    unsigned char raw[SHA256_DIGEST_LENGTH];

    digest_raw(d, raw);
    text_hex(raw, sizeof(raw), out);
}

/* "CHAIN:BITS:PENDING": hex, decimal, hex. */
uint64_t digest_bytes(const struct digest *d)
{
    return ((uint64_t)d->state.Nh << 32 | d->state.Nl) / 8;
}

void digest_save(const struct digest *d, char out[DIGEST_SAVED_MAX])
{
    char chain[CHAIN_HEX + 1], pending[2 * SHA256_CBLOCK + 1];
    uint64_t bits = (uint64_t)d->state.Nh << 32 | d->state.Nl;

    for (unsigned i = 0; i < 8; i++)
        snprintf(chain + (size_t)i * 8, 9, "%08" PRIx32, (uint32_t)d->state.h[i]);
    text_hex(d->state.data, d->state.num, pending);
    snprintf(out, DIGEST_SAVED_MAX, "%s:%" PRIu64 ":%s", chain, bits, pending);
}

static int load_chain(SHA256_CTX *state, const char *hex)
{
    unsigned char chain[SHA256_DIGEST_LENGTH];

    if (text_unhex(hex, chain, sizeof(chain)) < 0)
        return -EBADMSG;
    for (unsigned i = 0; i < 8; i++) {
        const unsigned char *word = chain + (size_t)i * 4;

        state->h[i] = (SHA_LONG)word[0] << 24 | (SHA_LONG)word[1] << 16 | (SHA_LONG)word[2] << 8 | word[3];
    }
    return 0;
}

static int load_bits(SHA256_CTX *state, const char *digits)
{
    uint64_t bits;

    if (text_parse_uint(digits, UINT64_MAX, &bits) < 0 || bits % 8 != 0)
        return -EBADMSG;
    state->Nh = (SHA_LONG)(bits >> 32);
    state->Nl = (SHA_LONG)(bits & UINT32_MAX);
    state->num = (unsigned)(bits / 8 % SHA256_CBLOCK);
    return 0;
}

int digest_load(struct digest *d, const char *saved)
{
    char field[DIGEST_SAVED_MAX], again[DIGEST_SAVED_MAX], *digits, *pending;
    size_t size = strnlen(saved, sizeof(field));
    struct digest loaded;

    if (size == sizeof(field))
        return -EBADMSG;
    memcpy(field, saved, size + 1);
    digits = strchr(field, ':');
    pending = digits ? strchr(digits + 1, ':') : NULL;
    if (!pending)
        return -EBADMSG;
    *digits++ = *pending++ = '\0';
    digest_init(&loaded);
    if (load_chain(&loaded.state, field) < 0 || load_bits(&loaded.state, digits) < 0 ||
        text_unhex(pending, loaded.state.data, loaded.state.num) < 0)
        return -EBADMSG;
    digest_save(&loaded, again);
    if (!text_eq(saved, again)) /* another spelling: capitals, leading zeros */
        return -EBADMSG;
    *d = loaded;
    return 0;
}
