/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of issuers: which are taken apart, which are signed by whom, what is wrong with others, and what their claims
 * give.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjose/cjose.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "serve/claims.h"
#include "serve/jwks.h"

#define HEADER "{\"alg\":\"RS256\",\"kid\":\"1\"}"
#define CLAIMS "{\"iss\":\"https://i\",\"aud\":[\"x\",\"salvage\"],\"exp\":1000,\"nbf\":500,\"sub\":\"ann\"}"

static cjose_jwk_t *rsa, *other_rsa, *small_rsa, *ec;

static int make_keys(void **state)
{
    static const uint8_t EXPONENT[] = {1, 0, 1};

    (void)state;
    rsa = cjose_jwk_create_RSA_random(2048, EXPONENT, sizeof(EXPONENT), NULL);
    other_rsa = cjose_jwk_create_RSA_random(2048, EXPONENT, sizeof(EXPONENT), NULL);
    small_rsa = cjose_jwk_create_RSA_random(1024, EXPONENT, sizeof(EXPONENT), NULL);
    ec = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, NULL);
    return rsa && other_rsa && small_rsa && ec ? 0 : -1;
}

static int drop_keys(void **state)
{
    (void)state;
    cjose_jwk_release(rsa);
    cjose_jwk_release(other_rsa);
    cjose_jwk_release(small_rsa);
    cjose_jwk_release(ec);
    return 0;
}

/* "{...}" without a signature that means anything. */
static char *unsigned_token(const char *header, const char *claims)
{
    char one[2048], two[4096];
    struct buf b = {0};

    assert_int_equal(base64url_encode(header, strlen(header), one, sizeof(one)), 0);
    assert_int_equal(base64url_encode(claims, strlen(claims), two, sizeof(two)), 0);
    assert_int_equal(buf_printf(&b, "%s.%s.AAAA", one, two), 0);
    return buf_take(&b);
}

static char *signed_token(cjose_jwk_t *key, const char *alg, const char *kid)
{
    cjose_header_t *header = cjose_header_new(NULL);
    cjose_jws_t *jws;
    const char *text;
    char *copy;

    assert_true(cjose_header_set(header, "alg", alg, NULL));
    if (kid)
        assert_true(cjose_header_set(header, "kid", kid, NULL));
    jws = cjose_jws_sign(key, header, (const uint8_t *)CLAIMS, strlen(CLAIMS), NULL);
    assert_non_null(jws);
    assert_true(cjose_jws_export(jws, &text, NULL));
    copy = strdup(text);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return copy;
}

static int read_token(const char *text, struct jwt *t)
{
    return jwt_read(text, strlen(text), t);
}

static void other_algorithms_are_refused(void **state)
{
    static const char *const HEADERS[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"RS512\"}",
        "{}",
        "{\"alg\":1}",
        "{\"alg\":\"RS256\",\"alg\":\"none\"}",
        "{\"alg\":\"RS256\",\"crit\":[\"b64\"]}",
        "{\"alg\":\"RS256\",\"b64\":false}",
        "[\"RS256\"]",
        "RS256",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(HEADERS); i++) {
        CLEANUP_FREE char *text = unsigned_token(HEADERS[i], CLAIMS);
        struct jwt t = {0};

        if (read_token(text, &t) != -EINVAL || t.claims)
            fail_msg("%s", HEADERS[i]);
    }
}

static void what_is_no_token_is_refused(void **state)
{
    static const char *const TEXTS[] = {"",
                                        ".",
                                        "..",
                                        "a.b",
                                        "a.b.c",
                                        "a.b.c.d",
                                        "eyJhbGciOiJSUzI1NiJ9.e30.",
                                        ".e30.AAAA",
                                        "eyJhbGciOiJSUzI1NiJ9..AAAA",
                                        "eyJhbGciOiJSUzI1NiJ9.e30=.AAAA"};
    CLEANUP_FREE char *deep = malloc(4096), *token = NULL;
    struct jwt t = {0};
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
        if (read_token(TEXTS[i], &t) != -EINVAL)
            fail_msg("'%s'", TEXTS[i]);
    /* The parser of JSON calls itself for each level. */
    n = (size_t)sprintf(deep, "{\"a\":");
    memset(deep + n, '[', 1000);
    memset(deep + n + 1000, ']', 1000);
    memcpy(deep + n + 2000, "}", 2);
    token = unsigned_token(HEADER, deep);
    assert_int_equal(read_token(token, &t), -EINVAL);
}

static void assert_wrong(const char *claims, int64_t now, const char *wanted)
{
    CLEANUP_FREE char *text = unsigned_token(HEADER, claims);
    CLEANUP(jwt_done) struct jwt t = {0};
    const char *wrong;

    assert_int_equal(read_token(text, &t), 0);
    wrong = jwt_check(&t, "https://i", "salvage", now);
    if (!wanted ? wrong != NULL : !wrong || strcmp(wrong, wanted) != 0)
        fail_msg("%s at %d: %s", claims, (int)now, wrong ? wrong : "nothing");
}

static void issuer_audience_and_times_are_checked(void **state)
{
    (void)state;
    assert_wrong(CLAIMS, 700, NULL);
    assert_wrong(CLAIMS, 1000 + JWT_LEEWAY_S - 1, NULL);
    assert_wrong(CLAIMS, 1000 + JWT_LEEWAY_S, "it is over");
    assert_wrong(CLAIMS, 500 - JWT_LEEWAY_S, NULL);
    assert_wrong(CLAIMS, 500 - JWT_LEEWAY_S - 1, "it is not valid yet");
    assert_wrong("{\"iss\":\"https://i\",\"aud\":\"salvage\",\"exp\":1000}", 700, NULL);
    assert_wrong("{\"iss\":\"https://i/\",\"aud\":\"salvage\",\"exp\":1000}", 700, "it is of another issuer");
    assert_wrong("{\"aud\":\"salvage\",\"exp\":1000}", 700, "it is of another issuer");
    assert_wrong("{\"iss\":\"https://i\",\"aud\":\"x\",\"exp\":1000}", 700, "it is for another audience");
    assert_wrong("{\"iss\":\"https://i\",\"exp\":1000}", 700, "it is for another audience");
    assert_wrong("{\"iss\":\"https://i\",\"aud\":\"salvage\"}", 700, "it does not say when it ends");
    assert_wrong("{\"iss\":\"https://i\",\"aud\":\"salvage\",\"exp\":\"1000\"}", 700, "it does not say when it ends");
    assert_wrong("{\"iss\":\"https://i\",\"aud\":\"salvage\",\"exp\":1e300}", 700, "it does not say when it ends");
    assert_wrong("{\"iss\":\"https://i\",\"aud\":\"salvage\",\"exp\":1000,\"nbf\":\"x\"}", 700, "it is not valid yet");
}

/* A set of keys as an issuer publishes it; more: further members. */
static void add_key(struct buf *set, cjose_jwk_t *key, const char *kid, const char *more)
{
    char *json = cjose_jwk_to_json(key, false, NULL);

    assert_non_null(json);
    assert_int_equal(buf_printf(set, "%s%.*s,\"kid\":\"%s\"%s}", set->size ? "," : "{\"keys\":[", (int)strlen(json) - 1,
                                json, kid, more),
                     0);
    cjose_get_dealloc()(json);
}

static struct jwks *end_set(struct buf *set)
{
    struct jwks *keys = NULL;

    assert_int_equal(buf_add_text(set, "]}"), 0);
    assert_int_equal(jwks_read(buf_text(set), set->size, &keys), 0);
    return keys;
}

static void assert_signed(const struct jwks *keys, char *text, bool wanted)
{
    CLEANUP(jwt_done) struct jwt t = {0};

    assert_int_equal(read_token(text, &t), 0);
    if (jwks_verify(keys, &t, text, strlen(text)) != wanted)
        fail_msg("%s", text);
    free(text);
}

static void tokens_are_signed_by_the_key_that_they_name(void **state)
{
    CLEANUP(buf_done) struct buf set = {0};
    struct jwks *keys;
    char *text, *dot;

    (void)state;
    add_key(&set, rsa, "1", "");
    add_key(&set, ec, "2", ",\"use\":\"sig\",\"alg\":\"ES256\"");
    keys = end_set(&set);
    assert_signed(keys, signed_token(rsa, "RS256", "1"), true);
    assert_signed(keys, signed_token(rsa, "PS256", "1"), true);
    assert_signed(keys, signed_token(rsa, "RS256", NULL), true);
    assert_signed(keys, signed_token(ec, "ES256", "2"), true);
    assert_signed(keys, signed_token(rsa, "RS256", "2"), false);
    assert_signed(keys, signed_token(other_rsa, "RS256", "1"), false);
    assert_signed(keys, signed_token(other_rsa, "RS256", NULL), false);
    /* Other claims under the same signature; and a signature that is cut. */
    text = signed_token(rsa, "RS256", "1");
    dot = strchr(text, '.');
    dot[10] = dot[10] == 'A' ? 'B' : 'A';
    if (jwt_read(text, strlen(text), &(struct jwt){0}) == 0)
        assert_signed(keys, text, false);
    else
        free(text);
    text = signed_token(rsa, "RS256", "1");
    text[strlen(text) - 4] = '\0';
    assert_signed(keys, text, false);
    jwks_free(keys);
}

static void a_key_is_for_what_it_says(void **state)
{
    CLEANUP(buf_done) struct buf set = {0}, none = {0};
    struct jwks *keys;

    (void)state;
    add_key(&set, rsa, "1", ",\"alg\":\"RS256\"");
    add_key(&set, other_rsa, "2", ",\"use\":\"enc\"");
    add_key(&set, small_rsa, "3", "");
    add_key(&set, ec, "4", ",\"alg\":\"ES384\"");
    keys = end_set(&set);
    assert_signed(keys, signed_token(rsa, "RS256", "1"), true);
    assert_signed(keys, signed_token(rsa, "PS256", "1"), false);
    assert_signed(keys, signed_token(other_rsa, "RS256", "2"), false);
    assert_signed(keys, signed_token(small_rsa, "RS256", "3"), false);
    assert_signed(keys, signed_token(ec, "ES256", "4"), false);
    jwks_free(keys);

    add_key(&none, small_rsa, "3", "");
    buf_add_text(&none, ",{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"5\"},1,null]}");
    keys = NULL;
    assert_int_equal(jwks_read(buf_text(&none), none.size, &keys), -EBADMSG);
    assert_null(keys);
}

static unsigned rights_by(const char *claims, const struct claim_rules *rules, const char *namespace)
{
    json_auto_t *root = json_read_object(claims, strlen(claims), 4096);
    struct grants g = {0};
    unsigned rights;

    assert_non_null(root);
    assert_int_equal(claims_grant(root, rules, &g), 0);
    rights = grants_rights(&g, namespace);
    grants_done(&g);
    return rights;
}

static void claims_give_namespaces(void **state)
{
    static const char TEXT[] = "{\"groups\":[\"shop\",\"pay:write,delete\",\"*\",\"Domain "
                               "Users\",\"x:own\",\"till-2:write+delete\",7,\"../y\"],"
                               "\"one\":\"till\",\"realm\":{\"roles\":[\"team-shop\",\"admins\"]}}";
    const struct claim_rules groups = {.namespaces = "groups"}, one = {.namespaces = "one"},
                             prefixed = {.namespaces = "realm.roles", .prefix = "team-"},
                             admin = {.admin = "realm.roles=admins"}, no_admin = {.admin = "groups=admins"};
    const unsigned read = RIGHT_LIST | RIGHT_READ;

    (void)state;
    assert_int_equal(rights_by(TEXT, &groups, "shop"), read);
    assert_int_equal(rights_by(TEXT, &groups, "pay"), RIGHT_WRITE | RIGHT_DELETE | RIGHT_LIST);
    assert_int_equal(rights_by(TEXT, &groups, "till-2"), RIGHT_WRITE | RIGHT_DELETE | RIGHT_LIST);
    assert_int_equal(rights_by(TEXT, &groups, "other"), 0); /* "*" is a group's name here, and no pattern */
    assert_int_equal(rights_by(TEXT, &groups, "*"), 0);
    assert_int_equal(rights_by(TEXT, &groups, ""), 0);
    assert_int_equal(rights_by(TEXT, &groups, "x"), 0);
    assert_int_equal(rights_by(TEXT, &one, "till"), read);
    assert_int_equal(rights_by(TEXT, &prefixed, "shop"), read);
    assert_int_equal(rights_by(TEXT, &prefixed, "admins"), 0);
    assert_int_equal(rights_by(TEXT, &admin, "*") & RIGHT_ADMIN, RIGHT_ADMIN);
    assert_int_equal(rights_by(TEXT, &no_admin, "*"), 0);
    assert_true(claim_admin_is_good("a=b") && !claim_admin_is_good("a=") && !claim_admin_is_good("=b") &&
                !claim_admin_is_good("a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_algorithms_are_refused),
        cmocka_unit_test(what_is_no_token_is_refused),
        cmocka_unit_test(issuer_audience_and_times_are_checked),
        cmocka_unit_test(tokens_are_signed_by_the_key_that_they_name),
        cmocka_unit_test(a_key_is_for_what_it_says),
        cmocka_unit_test(claims_give_namespaces),
    };

    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
