/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions and links: whole, changed, over; and which requests are our own pages'.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "serve/form.h"
#include "serve/same_origin.h"
#include "serve/session.h"

enum { NOW = 1000, LIFE = 60 };

static struct sessions make(const char *key)
{
    struct secret *secret = secret_new(key, strlen(key));
    struct sessions s;

    sessions_init(&s, secret, LIFE);
    secret_free(secret);
    return s;
}

static void begin(const struct sessions *s, bool secure, struct buf *cookie)
{
    struct secret *token = secret_new("the-token", 9);

    assert_int_equal(session_begin(s, token, secure, NOW, cookie), 0);
    secret_free(token);
}

static char csrf[SEAL_SIGNATURE_HEX];

static int find(const struct sessions *s, const char *header, bool secure, int64_t now, struct secret **ret)
{
    return session_find(s, &(struct session_cookie){header, secure, now}, ret, csrf);
}

static void a_session_gives_its_credential_back_until_it_ends(void **state)
{
    struct sessions s = make("a key"), other = make("another key");
    CLEANUP(buf_done) struct buf cookie = {0};
    struct secret *token = NULL;

    (void)state;
    begin(&s, false, &cookie);
    assert_null(strstr(buf_text(&cookie), "the-token"));
    assert_non_null(strstr(buf_text(&cookie), "; HttpOnly; SameSite=Strict"));
    assert_null(strstr(buf_text(&cookie), "Secure"));
    assert_int_equal(find(&s, buf_text(&cookie), false, NOW + LIFE - 1, &token), 0);
    assert_string_equal(secret_expose(token), "the-token");
    assert_int_equal(strlen(csrf), SEAL_SIGNATURE_HEX - 1);
    secret_free(token);
    assert_int_equal(find(&s, buf_text(&cookie), false, NOW + LIFE, &token), -ENOENT);
    assert_int_equal(find(&other, buf_text(&cookie), false, NOW, &token), -ENOENT);
    assert_int_equal(find(&s, NULL, false, NOW, &token), -ENOENT);
    assert_int_equal(find(&s, "salvage=", false, NOW, &token), -ENOENT);
}

static void by_tls_no_other_host_can_set_the_cookie(void **state)
{
    struct sessions s = make("a key");
    CLEANUP(buf_done) struct buf cookie = {0}, plain = {0};
    struct secret *token = NULL;

    (void)state;
    begin(&s, true, &cookie);
    assert_memory_equal(buf_text(&cookie), "__Host-salvage=", 15);
    assert_non_null(strstr(buf_text(&cookie), "; Path=/;"));
    assert_non_null(strstr(buf_text(&cookie), "; Secure"));
    assert_int_equal(find(&s, buf_text(&cookie), false, NOW, &token), -ENOENT);
    assert_int_equal(find(&s, buf_text(&cookie), true, NOW, &token), 0);
    secret_free(token);
    /* Without TLS anybody on the way can set one of the other name. */
    begin(&s, false, &plain);
    assert_int_equal(find(&s, buf_text(&plain), true, NOW, &token), -ENOENT);
}

static void a_token_that_is_too_long_gets_no_cookie(void **state)
{
    struct sessions s = make("a key");
    CLEANUP(buf_done) struct buf cookie = {0};
    char longer[SEAL_PLAIN_MAX + 1];
    struct secret *token;

    (void)state;
    memset(longer, 'a', sizeof(longer));
    token = secret_new(longer, sizeof(longer));
    assert_int_equal(session_begin(&s, token, true, NOW, &cookie), -EMSGSIZE);
    secret_free(token);
    token = secret_new(longer, SEAL_PLAIN_MAX);
    assert_int_equal(session_begin(&s, token, true, NOW, &cookie), 0);
    assert_in_range(cookie.size, 1, 4096); /* browsers keep no more */
    secret_free(token);
}

static void a_link_is_for_one_object_and_one_name_until_it_ends(void **state)
{
    struct sessions s = make("a key"), other = make("another key");
    CLEANUP(buf_done) struct buf query = {0};
    struct session_link link = {.key = "shop/a", .by = "token:dev", .expires = "1060"};
    const char *signature;

    (void)state;
    assert_int_equal(session_link_make(&s, "shop/a", "token:dev", NOW + LIFE, &query), 0);
    assert_memory_equal(buf_text(&query), "expires=1060&by=token%3Adev&signature=", 38);
    signature = link.signature = strstr(buf_text(&query), "signature=") + 10;
    assert_int_equal(session_link_check(&s, &link, NOW), 0);
    assert_int_equal(session_link_check(&s, &link, NOW + LIFE), -EBADMSG);
    assert_int_equal(session_link_check(&other, &link, NOW), -EBADMSG);
    for (int i = 0; i < 5; i++) {
        struct session_link changed = link;

        *(i == 0   ? &changed.key
          : i == 1 ? &changed.by
          : i == 2 ? &changed.expires
                   : &changed.signature) = i == 3   ? signature + 1
                                           : i == 4 ? NULL
                                                    : "10600";
        assert_int_equal(session_link_check(&s, &changed, NOW), -EBADMSG);
    }
    /* Where one text ends and the next begins counts. */
    link = (struct session_link){"shop/at", "oken:dev", "1060", signature};
    assert_int_equal(session_link_check(&s, &link, NOW), -EBADMSG);
}

static void requests_of_other_pages_are_known(void **state)
{
    static const struct {
        struct same_origin o;
        bool wanted;
    } CASES[] = {
        {{.host = "s:8080"}, true}, /* no browser */
        {{.fetch_site = "same-origin", .origin = "http://proxied", .host = "s"}, true},
        {{.fetch_site = "none"}, true},
        {{.fetch_site = "same-site", .origin = "http://s", .host = "s"}, false},
        {{.fetch_site = "cross-site"}, false},
        {{.origin = "http://s:8080", .host = "s:8080"}, true},
        {{.origin = "https://S", .host = "s", .tls = true}, true},
        {{.origin = "http://s", .host = "s", .tls = true}, false},
        {{.origin = "http://s:8081", .host = "s:8080"}, false},
        {{.origin = "null", .host = "s"}, false},
        {{.origin = "http://s"}, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++)
        if (same_origin_is(&CASES[i].o) != CASES[i].wanted)
            fail_msg("case %zu", i);
}

static void assert_field(const char *form, const char *name, int size, const char *wanted)
{
    char out[8] = "";

    assert_int_equal(form_field(form, strlen(form), name, out, sizeof(out)), size);
    if (wanted)
        assert_string_equal(out, wanted);
}

static void fields_of_forms_are_decoded(void **state)
{
    char out[8];

    (void)state;
    assert_field("a=1&token=x+y%2F&b", "token", 4, "x y/");
    assert_field("a=1", "token", -ENOENT, NULL);
    assert_field("mytoken=1&token=", "token", 0, "");
    assert_field("token=%", "token", -EINVAL, NULL);
    assert_field("token=%00", "token", -EINVAL, NULL);
    assert_field("token=%0a", "token", -EINVAL, NULL);
    assert_field("token=12345678", "token", -EMSGSIZE, NULL);
    assert_int_equal(form_cookie("xsalvage=1; salvage=2;salvage=3", "salvage", out, sizeof(out)), 1);
    assert_string_equal(out, "2");
    assert_int_equal(form_cookie("salvage=12345678", "salvage", out, sizeof(out)), -EMSGSIZE);
    assert_true(form_is_local_path("/-/cases?x=1"));
    assert_false(form_is_local_path("//elsewhere"));
    assert_false(form_is_local_path("/\\elsewhere"));
    assert_false(form_is_local_path("https://elsewhere"));
    assert_false(form_is_local_path(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_gives_its_credential_back_until_it_ends),
        cmocka_unit_test(by_tls_no_other_host_can_set_the_cookie),
        cmocka_unit_test(a_token_that_is_too_long_gets_no_cookie),
        cmocka_unit_test(a_link_is_for_one_object_and_one_name_until_it_ends),
        cmocka_unit_test(requests_of_other_pages_are_known),
        cmocka_unit_test(fields_of_forms_are_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
