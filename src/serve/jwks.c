/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Of each key the library sees the public numbers alone, made anew here: no other member of a foreign
 * object reaches it.
 */
#include "serve/jwks.h"

#include <assert.h>
#include <cjose/cjose.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"

enum { RSA_MIN = 2048 / 8, RSA_MAX = 8192 / 8, EXPONENT_MAX = 8, COORDINATE = 32 };

struct key {
    char kid[JWT_KID_MAX];
    bool is_rsa;
    int only; /* enum jwt_algorithm that it is for; -1: any of its sort */
    cjose_jwk_t *jwk;
};

struct jwks {
    size_t count;
    struct key key[JWKS_KEYS_MAX];
};

DEFINE_CLEANUP(struct jwks *, jwks_free)

/* Bytes of a number; 0: it is none. */
static size_t number_size(const json_t *key, const char *name, size_t most)
{
    unsigned char number[RSA_MAX];
    const char *text = json_read_text(key, name);
    ssize_t size = base64url_decode(text, strlen(text), number, sizeof(number));

    return size > 0 && (size_t)size <= most ? (size_t)size : 0;
}

static cjose_jwk_t *import(json_t *numbers)
{
    char *text = numbers ? json_dumps(numbers, JSON_COMPACT) : NULL;
    cjose_jwk_t *jwk = text ? cjose_jwk_import(text, strlen(text), NULL) : NULL;

    free(text);
    json_decref(numbers);
    return jwk;
}

static cjose_jwk_t *import_rsa(const json_t *key)
{
    if (number_size(key, "n", RSA_MAX) < RSA_MIN || !number_size(key, "e", EXPONENT_MAX))
        return NULL;
    return import(
        json_pack("{s:s, s:s, s:s}", "kty", "RSA", "n", json_read_text(key, "n"), "e", json_read_text(key, "e")));
}

static cjose_jwk_t *import_ec(const json_t *key)
{
    if (!text_eq(json_read_text(key, "crv"), "P-256") || number_size(key, "x", COORDINATE) != COORDINATE ||
        number_size(key, "y", COORDINATE) != COORDINATE)
        return NULL;
    return import(json_pack("{s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x", json_read_text(key, "x"), "y",
                            json_read_text(key, "y")));
}

/* What the key is for; false: for none of ours. */
static bool read_purpose(const json_t *key, struct key *ret)
{
    static const struct {
        const char *name;
        int algorithm;
        bool is_rsa;
    } NAMES[] = {{"", -1, true},
                 {"", -1, false},
                 {"RS256", JWT_RS256, true},
                 {"PS256", JWT_PS256, true},
                 {"ES256", JWT_ES256, false}};
    const char *use = json_read_text(key, "use"), *kty = json_read_text(key, "kty"), *alg = json_read_text(key, "alg");

    ret->is_rsa = text_eq(kty, "RSA");
    if ((*use && !text_eq(use, "sig")) || (!ret->is_rsa && !text_eq(kty, "EC")))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++)
        if (text_eq(NAMES[i].name, alg) && NAMES[i].is_rsa == ret->is_rsa) {
            ret->only = NAMES[i].algorithm;
            return true;
        }
    return false;
}

static void add_key(struct jwks *k, const json_t *key)
{
    const char *kid = json_read_text(key, "kid");
    struct key new = {0};

    if (strlen(kid) >= sizeof(new.kid) || !read_purpose(key, &new))
        return;
    memcpy(new.kid, kid, strlen(kid) + 1);
    if ((new.jwk = new.is_rsa ? import_rsa(key) : import_ec(key)))
        k->key[k->count++] = new;
}

int jwks_read(const char *text, size_t size, struct jwks **ret)
{
    CLEANUP(jwks_free_ptr) struct jwks *k = calloc(1, sizeof(*k));
    json_auto_t *root = json_read_object(text, size, JWKS_SIZE_MAX);
    const json_t *keys = json_object_get(root, "keys");

    assert(ret);
    if (!k)
        return -ENOMEM;
    for (size_t i = 0; i < json_array_size(keys) && k->count < JWKS_KEYS_MAX; i++)
        add_key(k, json_array_get(keys, i));
    if (k->count == 0)
        return -EBADMSG;
    *ret = TAKE_PTR(k);
    return 0;
}

void jwks_free(struct jwks *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->count; i++)
        cjose_jwk_release(k->key[i].jwk);
    free(k);
}

static bool may_have_signed(const struct key *key, const struct jwt *t)
{
    return (key->only < 0 || key->only == (int)t->algorithm) && key->is_rsa == (t->algorithm != JWT_ES256) &&
           (!*t->kid || text_eq(t->kid, key->kid));
}

bool jwks_has(const struct jwks *k, const struct jwt *t)
{
    for (size_t i = 0; i < k->count; i++)
        if (may_have_signed(&k->key[i], t))
            return true;
    return false;
}

bool jwks_verify(const struct jwks *k, const struct jwt *t, const char *text, size_t size)
{
    cjose_jws_t *jws = cjose_jws_import(text, size, NULL);
    bool good = false;

    for (size_t i = 0; jws && i < k->count && !good; i++)
        good = may_have_signed(&k->key[i], t) && cjose_jws_verify(jws, k->key[i].jwk, NULL);
    cjose_jws_release(jws);
    return good;
}
