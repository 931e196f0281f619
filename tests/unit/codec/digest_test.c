/* SPDX-License-Identifier: Apache-2.0
 *
 * The digest is SHA-256, and a saved state goes on as if it had never been put down. What is not exactly a saved
 * state is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "codec/digest.h"

#define CHAIN_START "6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19"

static void check(const char *text, const char *hex)
{
    char out[DIGEST_HEX_MAX];
    struct digest d;

    digest_init(&d);
    digest_update(&d, text, strlen(text));
    digest_hex(&d, out);
    assert_string_equal(out, hex);
}

/* FIPS 180-2, appendix B; NIST's CAVP for the empty message. */
static void published_vectors(void **state)
{
    char out[DIGEST_HEX_MAX], thousand[1000];
    struct digest d;

    (void)state;
    check("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    memset(thousand, 'a', sizeof(thousand));
    digest_init(&d);
    for (int i = 0; i < 1000; i++)
        digest_update(&d, thousand, sizeof(thousand));
    digest_hex(&d, out);
    assert_string_equal(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void asking_does_not_end_the_digest(void **state)
{
    static const unsigned char abc[] = {0xba, 0x78, 0x16, 0xbf};
    unsigned char raw[SHA256_DIGEST_LENGTH];
    char out[DIGEST_HEX_MAX];
    struct digest d;

    (void)state;
    digest_init(&d);
    digest_update(&d, "ab", 2);
    digest_hex(&d, out);
    digest_update(&d, NULL, 0);
    digest_update(&d, "c", 1);
    for (int again = 0; again < 2; again++) {
        digest_raw(&d, raw);
        assert_memory_equal(raw, abc, sizeof(abc));
    }
}

static void goes_on_from_any_offset(void **state)
{
    char text[200], wanted[DIGEST_HEX_MAX], got[DIGEST_HEX_MAX], saved[DIGEST_SAVED_MAX];
    struct digest whole;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 7 + 1);
    digest_init(&whole);
    digest_update(&whole, text, sizeof(text));
    digest_hex(&whole, wanted);
    for (size_t at = 0; at <= 130; at++) {
        struct digest before, after;

        digest_init(&before);
        digest_update(&before, text, at);
        digest_save(&before, saved);
        memset(&after, 0xff, sizeof(after));
        assert_int_equal(digest_load(&after, saved), 0);
        digest_update(&after, text + at, sizeof(text) - at);
        digest_hex(&after, got);
        assert_string_equal(got, wanted);
    }
}

static void saved_form_is_fixed(void **state)
{
    char saved[DIGEST_SAVED_MAX];
    struct digest d;

    (void)state;
    digest_init(&d);
    digest_update(&d, "abc", 3);
    digest_save(&d, saved);
    assert_string_equal(saved, CHAIN_START ":24:616263"); /* journals of older versions are to be read */
}

static void counts_beyond_four_gigabits(void **state)
{
    static const char saved[] = CHAIN_START ":9223372036854775816:ff"; /* 2^63 + 8 */
    char again[DIGEST_SAVED_MAX];
    unsigned char mib[1024] = {0};
    struct digest d;

    (void)state;
    assert_int_equal(digest_load(&d, saved), 0);
    digest_save(&d, again);
    assert_string_equal(again, saved);
    assert_int_equal(digest_load(&d, CHAIN_START ":4294966784:"), 0); /* 64 bytes below 2^32 bits */
    digest_update(&d, mib, 128);
    digest_save(&d, again);
    assert_string_equal(strchr(again, ':'), ":4294967808:");
}

static void anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        ":",
        "::",
        CHAIN_START,
        CHAIN_START ":",
        CHAIN_START ":24",
        CHAIN_START "::",
        CHAIN_START ":24:",                      /* pending bytes are missing */
        CHAIN_START ":24:6162",                  /* too few */
        CHAIN_START ":24:61626364",              /* too many */
        CHAIN_START ":24:61626",                 /* half a byte */
        CHAIN_START ":24:61626x",                /* no hex */
        CHAIN_START ":24:616263 ",               /* something behind */
        CHAIN_START ":24:616263:",               /* one field too many */
        CHAIN_START ":25:616263",                /* no whole byte */
        CHAIN_START ":024:616263",               /* another spelling */
        CHAIN_START ":+24:616263",               /* another */
        CHAIN_START ":-24:616263",               /* less than nothing */
        CHAIN_START ":0x18:616263",              /* no decimal */
        CHAIN_START ":18446744073709551616:",    /* 2^64 */
        CHAIN_START ":99999999999999999999999:", /* more */
        CHAIN_START ":512:6162",                 /* a whole block has nothing pending */
        "6A09E667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19:0:",
        "6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd1:0:",
        "6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd190:0:",
        "ga09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19:0:",
    };
    char longer[DIGEST_SAVED_MAX + 8], out[DIGEST_HEX_MAX], before[DIGEST_HEX_MAX];
    struct digest d;

    (void)state;
    digest_init(&d);
    digest_update(&d, "untouched", 9);
    digest_hex(&d, before);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (digest_load(&d, bad[i]) != -EBADMSG)
            fail_msg("taken: %s", bad[i]);
    snprintf(longer, sizeof(longer), CHAIN_START ":504:%0*d", (int)(DIGEST_SAVED_MAX - 64 - 6 + 2), 0);
    assert_int_equal(digest_load(&d, longer), -EBADMSG);
    digest_hex(&d, out);
    assert_string_equal(out, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),           cmocka_unit_test(asking_does_not_end_the_digest),
        cmocka_unit_test(goes_on_from_any_offset),     cmocka_unit_test(saved_form_is_fixed),
        cmocka_unit_test(counts_beyond_four_gigabits), cmocka_unit_test(anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
