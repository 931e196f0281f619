/* SPDX-License-Identifier: Apache-2.0
 *
 * Store URLs: what they mean, which are refused and with which fault, and that no message repeats a secret.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

static void assert_url(const char *text, enum url_scheme scheme, const char *authority, const char *path)
{
    CLEANUP(url_done) struct url u = {0};
    struct err e = {0};

    if (url_parse(text, &u, &e) < 0)
        fail_msg("%s: %s", text, e.msg);
    assert_int_equal(u.scheme, scheme);
    assert_string_equal(u.authority, authority);
    assert_string_equal(u.path, path);
}

/* Refused with this fault and a message that has these words in it; the output is untouched. */
static void assert_refused(const char *text, int fault, const char *words)
{
    char untouched;
    struct url u = {.path = &untouched};
    struct err e = {0};

    if (url_parse(text, &u, &e) != -fault)
        fail_msg("'%s' was not refused with %d (%s)", text, fault, e.msg);
    assert_ptr_equal(u.path, &untouched);
    assert_null(u.authority);
    if (!strstr(e.msg, words))
        fail_msg("'%s': '%s' does not say '%s'", text, e.msg, words);
}

static void s3_has_a_bucket_and_a_prefix(void **state)
{
    (void)state;
    assert_url("s3://dumps", URL_S3, "dumps", "");
    assert_url("s3://dumps/", URL_S3, "dumps", "");
    assert_url("s3://dumps/prod/eu", URL_S3, "dumps", "prod/eu");
    assert_url("s3://dumps//prod/eu//", URL_S3, "dumps", "prod/eu");
    assert_url("S3://Old_Bucket.v1", URL_S3, "Old_Bucket.v1", "");
    assert_url("obs://dumps", URL_OBS, "dumps", "");
    assert_url("OBS://dumps//prod/eu/", URL_OBS, "dumps", "prod/eu");
}

static void nothing_in_an_s3_prefix_is_an_escape(void **state)
{
    (void)state;
    assert_url("obs://dumps/a%20b?c#d", URL_OBS, "dumps", "a%20b?c#d");
    assert_url("s3://dumps/a%20b?c#d e/\xC3\xA9", URL_S3, "dumps", "a%20b?c#d e/\xC3\xA9");
}

static void http_has_a_host_a_port_and_a_path(void **state)
{
    (void)state;
    assert_url("http://files.example/dumps/", URL_HTTP, "files.example", "dumps");
    assert_url("https://files.example:8443", URL_HTTPS, "files.example:8443", "");
    assert_url("HTTPS://files_1/a/b", URL_HTTPS, "files_1", "a/b");
    assert_url("http://127.0.0.1:80/x", URL_HTTP, "127.0.0.1:80", "x");
    assert_url("http://[::1]/x", URL_HTTP, "[::1]", "x");
    assert_url("http://[fe80::1]:65535/x", URL_HTTP, "[fe80::1]:65535", "x");
}

static void an_http_path_is_fit_for_a_request_line(void **state)
{
    (void)state;
    assert_url("http://h/a%20b/c d", URL_HTTP, "h", "a%20b/c%20d");
    assert_url("http://h/\xC3\xA9;v=1,2/(x)!$&'*+:@~", URL_HTTP, "h", "%C3%A9;v=1,2/(x)!$&'*+:@~");
    assert_url("http://h/\"<>\\^`{|}", URL_HTTP, "h", "%22%3C%3E%5C%5E%60%7B%7C%7D");
}

static void a_file_url_is_an_absolute_path_decoded(void **state)
{
    (void)state;
    assert_url("file:///", URL_FILE, "", "");
    assert_url("file:///srv/dumps/", URL_FILE, "", "/srv/dumps");
    assert_url("file:///a%20b/%C3%A9%0A", URL_FILE, "", "/a b/\xC3\xA9\n");
    assert_url("file:///a?b#c/../d", URL_FILE, "", "/a?b#c/../d");
    assert_url("file:///100%/%zz", URL_FILE, "", "/100%/%zz");
}

static void an_unknown_scheme_is_refused(void **state)
{
    (void)state;
    assert_refused("ftp://host/x", FAULT_SCHEME, "unknown scheme 'ftp://'");
    assert_refused("s3s://bucket", FAULT_SCHEME, "'s3s://'");
    assert_refused("s://bucket", FAULT_SCHEME, "'s://'");
}

static void text_without_a_scheme_is_refused(void **state)
{
    static const char *const texts[] = {"", "/srv/dumps", "s3:/bucket", "s3:", "://x", "bucket/s3://x", "s3//bucket"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_refused(texts[i], FAULT_SCHEME, "no scheme");
}

static void a_missing_bucket_is_its_own_fault(void **state)
{
    (void)state;
    assert_refused("s3://", FAULT_NO_BUCKET_NAME, "no bucket");
    assert_refused("obs:///prefix", FAULT_NO_BUCKET_NAME, "obs://BUCKET/PREFIX");
    assert_refused("s3:///prefix", FAULT_NO_BUCKET_NAME, "s3://BUCKET/PREFIX");
}

static void bucket_names_follow_the_rules_loosely(void **state)
{
    char text[128] = "s3://";

    (void)state;
    assert_refused("s3://ab", FAULT_USAGE, "2 characters");
    assert_refused("s3://..", FAULT_USAGE, "2 characters");
    assert_refused("s3://my bucket", FAULT_USAGE, "no bucket name");
    assert_refused("s3://caf\xC3\xA9", FAULT_USAGE, "no bucket name");
    assert_refused("s3://bucket?x", FAULT_USAGE, "no bucket name");
    memset(text + 5, 'b', 63);
    assert_url(text, URL_S3, text + 5, "");
    text[68] = 'b';
    assert_refused(text, FAULT_USAGE, "64 characters");
}

static void hosts_and_ports_are_checked(void **state)
{
    static const char *const texts[] = {"http://",        "http:///x",   "http://:80/",     "http://a b/",
                                        "http://h:/",     "http://h:0/", "http://h:65536/", "http://h:8x/",
                                        "http://[::1",    "http://[]/",  "http://[::1]x/",  "http://h\xC3\xA9/",
                                        "http://h:80:80/"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_refused(texts[i], FAULT_USAGE, "no host name");
}

static void queries_and_fragments_are_refused(void **state)
{
    (void)state;
    assert_refused("https://h/x?y=1", FAULT_USAGE, "query");
    assert_refused("https://h?y", FAULT_USAGE, "query");
    assert_refused("https://h/#y", FAULT_USAGE, "fragment");
}

static void a_file_url_has_no_host_and_a_folder(void **state)
{
    (void)state;
    assert_refused("file://srv/dumps", FAULT_USAGE, "three slashes");
    assert_refused("file://", FAULT_USAGE, "file:///FOLDER");
    assert_refused("file:///a%00b", FAULT_USAGE, "%00");
}

static void dot_segments_are_refused_where_a_client_would_resolve_them(void **state)
{
    static const char *const texts[] = {"s3://bucket/..", "obs://bucket/..", "s3://bucket/a/../b", "s3://bucket/./a",
                                        "http://h/a/..",  "https://h/..//",  "https://h/a/."};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_refused(texts[i], FAULT_USAGE, "'..'");
    assert_url("s3://bucket/.../..a/a..", URL_S3, "bucket", ".../..a/a..");
}

static void control_characters_are_refused(void **state)
{
    (void)state;
    assert_refused("s3://bucket/a\nb", FAULT_USAGE, "control");
    assert_refused("http://h/a\r\nHost: x", FAULT_USAGE, "control");
    assert_refused("file:///a\x7F", FAULT_USAGE, "control");
}

static void credentials_are_refused_and_never_repeated(void **state)
{
    static const char *const texts[] = {
        "https://user:Secret7@host/x", "https://Secret7@host",   "s3://AKIA:Secret7@bucket/x",
        "obs://AKIA:Secret7@bucket/x", "ftp://u:Secret7@host",   "https://user:Secret7/x@host",
        "s3://AKIA:Secret7/x@b",       "user:Secret7@host",      "//u:Secret7@h",
        "http://h:Secret7/",           "https://u:Secret7@h/\n", "https://h/x?sig=Secret7",
        "file://u:Secret7@h/x",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct url u = {0};
        struct err e = {0};

        assert_true(url_parse(texts[i], &u, &e) < 0);
        assert_true(strlen(e.msg) > 0);
        if (strstr(e.msg, "Secret7"))
            fail_msg("%s: %s", texts[i], e.msg);
    }
    assert_refused("https://user:pw@host/x", FAULT_USAGE, "--credentials-file");
}

static void assert_encoded(const char *text, int keep_slash, const char *expected)
{
    CLEANUP_FREE char *encoded = url_encode(text, strlen(text), keep_slash);
    CLEANUP_FREE char *decoded = url_decode(expected, strlen(expected));

    assert_string_equal(encoded, expected);
    assert_string_equal(decoded, text);
}

static void encoding_keeps_the_unreserved_only_and_is_undone_by_decoding(void **state)
{
    (void)state;
    assert_encoded("AZaz09-._~", 0, "AZaz09-._~");
    assert_encoded("a/b c", 0, "a%2Fb%20c");
    assert_encoded("a/b c", 1, "a/b%20c");
    assert_encoded("%41+&=?\xFF\x01\n", 1, "%2541%2B%26%3D%3F%FF%01%0A");
    assert_encoded("", 1, "");
}

static void a_nul_is_encoded_and_stays_so(void **state)
{
    CLEANUP_FREE char *encoded = url_encode("a\0b", 3, 0);
    CLEANUP_FREE char *decoded = url_decode("a%00b", 5);

    (void)state;
    assert_string_equal(encoded, "a%00b");
    assert_string_equal(decoded, "a%00b");
}

static void malformed_escapes_are_kept(void **state)
{
    static const char *const texts[] = {"%", "%4", "%4g", "%g4", "100%", "%%", "%-1"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        size_t size = strlen(texts[i]);
        CLEANUP_FREE char *copy = malloc(size); /* without a NUL behind it */
        CLEANUP_FREE char *decoded = NULL;

        assert_non_null(copy);
        memcpy(copy, texts[i], size);
        decoded = url_decode(copy, size);
        assert_string_equal(decoded, texts[i]);
    }
    CLEANUP_FREE char *mixed = url_decode("%%41%e9%E9", 10);
    assert_string_equal(mixed, "%A\xE9\xE9");
}

static void a_services_address_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *authority, *path;
        bool https;
    } cases[] = {
        {"http://localhost", "localhost", "localhost", "", false},
        {"HTTPS://host.example:443/base/?x", "host.example", "host.example", "/base/?x", true},
        {"https://host:80?x", "host", "host:80", "?x", true},
        {"http://host:80#x", "host", "host", "#x", false},
        {"http://[fd00::1]/x", "[fd00::1]", "[fd00::1]", "/x", false},
        {"http://[fd00::1]:9000", "[fd00::1]", "[fd00::1]:9000", "", false},
        {"http://{bucket}.host:9000/", "{bucket}.host", "{bucket}.host:9000", "/", false},
    };
    static const char *const bad[] = {"",          "host",         "ftp://host",    "http://",          "http:///x",
                                      "http://:9", "http://host:", "http://host:0", "http://h:65536",   "http://h:9x",
                                      "http://[1", "http://[1]9",  "http://u@host", "http://u:p@host/", "http//host"};
    struct url_parts p;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(url_split(cases[i].text, &p), 0);
        assert_int_equal(p.https, cases[i].https);
        assert_int_equal(p.host_size, strlen(cases[i].host));
        assert_memory_equal(p.host, cases[i].host, p.host_size);
        assert_int_equal(p.authority_size, strlen(cases[i].authority));
        assert_memory_equal(p.host, cases[i].authority, p.authority_size);
        assert_string_equal(p.path, cases[i].path);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(url_split(bad[i], &p), -EINVAL);
}

/* What is left is the store; http's parts are decoded, others are as they are written. */
static void the_last_part_is_taken_off(void **state)
{
    static const struct {
        const char *url, *part, *path;
    } rows[] = {
        {"s3://bucket/a/b%20c", "b%20c", "a"}, {"s3://bucket/key", "key", ""}, {"https://host/a/b%20c", "b c", "a"},
        {"file:///data/x", "x", "/data"},      {"s3://bucket", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(url_done) struct url u = {0};
        CLEANUP_FREE char *part = NULL;

        assert_int_equal(url_parse(rows[i].url, &u, NULL), 0);
        part = url_take_last_part(&u);
        assert_string_equal(part, rows[i].part);
        assert_string_equal(u.path, rows[i].path);
    }
}

static void urls_are_percent_encoded(void **state)
{
    CLEANUP(buf_done) struct buf url = {0};

    (void)state;
    assert_int_equal(buf_add_text(&url, "/-/case/"), 0);
    assert_int_equal(url_add_path(&url, "shop/a b?\"\xc3\xa4"), 0);
    assert_int_equal(url_add_query(&url, "q", "x&y=z"), 0);
    assert_int_equal(url_add_query(&url, "empty", ""), 0);
    assert_int_equal(url_add_query(&url, "none", NULL), 0);
    assert_int_equal(url_add_query(&url, "b", "1/2"), 0);
    assert_string_equal(buf_text(&url), "/-/case/shop/a%20b%3F%22%C3%A4?q=x%26y%3Dz&b=1%2F2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s3_has_a_bucket_and_a_prefix),
        cmocka_unit_test(nothing_in_an_s3_prefix_is_an_escape),
        cmocka_unit_test(http_has_a_host_a_port_and_a_path),
        cmocka_unit_test(an_http_path_is_fit_for_a_request_line),
        cmocka_unit_test(a_file_url_is_an_absolute_path_decoded),
        cmocka_unit_test(an_unknown_scheme_is_refused),
        cmocka_unit_test(text_without_a_scheme_is_refused),
        cmocka_unit_test(a_missing_bucket_is_its_own_fault),
        cmocka_unit_test(bucket_names_follow_the_rules_loosely),
        cmocka_unit_test(hosts_and_ports_are_checked),
        cmocka_unit_test(queries_and_fragments_are_refused),
        cmocka_unit_test(a_file_url_has_no_host_and_a_folder),
        cmocka_unit_test(dot_segments_are_refused_where_a_client_would_resolve_them),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(credentials_are_refused_and_never_repeated),
        cmocka_unit_test(encoding_keeps_the_unreserved_only_and_is_undone_by_decoding),
        cmocka_unit_test(a_nul_is_encoded_and_stays_so),
        cmocka_unit_test(malformed_escapes_are_kept),
        cmocka_unit_test(the_last_part_is_taken_off),
        cmocka_unit_test(a_services_address_is_taken_apart),
        cmocka_unit_test(urls_are_percent_encoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
