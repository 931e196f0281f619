/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a file server's credentials come from, and that broken ones are said to be so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/http/http_auth.h"

static char path[] = "http_auth_test.XXXXXX";
static int fd;

static int set_up(void **state)
{
    (void)state;
    memset(path + sizeof(path) - 7, 'X', 6);
    fd = mkstemp(path);
    return fd < 0 ? -1 : clearenv();
}

static int tear_down(void **state)
{
    (void)state;
    close(fd);
    return unlink(path);
}

static void expect(const char *file, const char *value)
{
    struct secret *s = NULL;
    struct err e;

    assert_int_equal(http_auth_get(file, &s, &e), 0);
    assert_non_null(s);
    assert_string_equal(secret_expose(s), value);
    secret_free(s);
}

static void expect_fault(const char *file, const char *word)
{
    struct secret *s = NULL;
    struct err e;

    assert_int_equal(http_auth_get(file, &s, &e), -FAULT_CREDENTIALS);
    assert_null(s);
    assert_non_null(strstr(e.msg, word));
}

static void write_file(const void *data, size_t size)
{
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(file_write(fd, data, size), 0);
}

static void without_any_there_are_none(void **state)
{
    struct secret *s = (struct secret *)&fd;
    struct err e;

    (void)state;
    assert_int_equal(http_auth_get(NULL, &s, &e), 0);
    assert_null(s);
}

static void a_pair_is_basic(void **state)
{
    (void)state;
    setenv("SALVAGE_HTTP_USER", "Aladdin", 1);
    setenv("SALVAGE_HTTP_PASSWORD", "open sesame", 1);
    expect(NULL, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="); /* RFC 7617, 2 */
}

static void a_token_is_bearer(void **state)
{
    (void)state;
    setenv("SALVAGE_HTTP_TOKEN", "mF_9.B5f-4.1JqM", 1);
    expect(NULL, "Bearer mF_9.B5f-4.1JqM");
}

static void a_file_says_which_it_is(void **state)
{
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"Aladdin:open sesame\n", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        {"joe:a:b", "Basic am9lOmE6Yg=="},
        {"bearer abc", "Bearer abc"},
        {"Bearer  abc\r\n", "Bearer abc"},
        {"bearer a:b\n", "Bearer a:b"},
        {"abc\nsecond line\n", "Bearer abc"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        write_file(cases[i].text, strlen(cases[i].text));
        expect(path, cases[i].value);
    }
}

static void a_file_wins_over_the_environment(void **state)
{
    (void)state;
    write_file("abc", 3);
    setenv("SALVAGE_HTTP_TOKEN", "other", 1);
    setenv("SALVAGE_CREDENTIALS_FILE", path, 1);
    expect(NULL, "Bearer abc");
    setenv("SALVAGE_CREDENTIALS_FILE", "no/such/file", 1);
    expect(path, "Bearer abc");
}

static void half_a_pair_is_a_fault(void **state)
{
    (void)state;
    setenv("SALVAGE_HTTP_USER", "joe", 1);
    expect_fault(NULL, "without SALVAGE_HTTP_PASSWORD");
    setenv("SALVAGE_HTTP_USER", "", 1);
    setenv("SALVAGE_HTTP_PASSWORD", "x", 1);
    expect_fault(NULL, "without SALVAGE_HTTP_USER");
    setenv("SALVAGE_HTTP_USER", "j:oe", 1);
    expect_fault(NULL, "':'");
    setenv("SALVAGE_HTTP_TOKEN", "x", 1);
    expect_fault(NULL, "unset one");
}

static void a_malformed_file_is_a_fault_that_does_not_tell_the_secret(void **state)
{
    static char large[10000];
    static const struct {
        const char *text;
        size_t size;
        const char *word;
    } cases[] = {
        {"", 0, "empty"},
        {"\nhush", 5, "empty"},
        {"bearer ", 7, "empty"},
        {"bearer hush hush", 16, "character"},
        {"hush\x01", 5, "character"},
        {"joe:hush\x7f", 9, "control character"},
        {"hush\xc3\xa9", 6, "character"},
        {large, sizeof(large), "too large"},
    };

    (void)state;
    memset(large, 'h', sizeof(large));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct secret *s = NULL;
        struct err e;

        write_file(cases[i].text, cases[i].size);
        assert_int_equal(http_auth_get(path, &s, &e), -FAULT_CREDENTIALS);
        assert_non_null(strstr(e.msg, cases[i].word));
        assert_non_null(strstr(e.msg, path));
        assert_null(strstr(e.msg, "hush"));
    }
    expect_fault("no/such/file", "no/such/file cannot be read");
}

static void the_longest_values_fit(void **state)
{
    static char text[8192];

    (void)state;
    memset(text, 'h', 8191);
    setenv("SALVAGE_HTTP_TOKEN", text, 1);
    struct secret *s = NULL;
    struct err e;
    assert_int_equal(http_auth_get(NULL, &s, &e), 0);
    assert_int_equal(secret_size(s), strlen("Bearer ") + 8191);
    secret_free(s);
    unsetenv("SALVAGE_HTTP_TOKEN");
    text[4000] = ':';
    write_file(text, 8191);
    assert_int_equal(http_auth_get(path, &s, &e), 0);
    assert_int_equal(secret_size(s), strlen("Basic ") + (8191 + 2) / 3 * 4);
    secret_free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void replace_file(const char *text)
{
    assert_int_equal(file_replace(AT_FDCWD, path, text, strlen(text), 0600), 0);
}

static void a_token_that_is_renewed_is_read_again(void **state)
{
    struct http_auth *a = NULL;
    const struct secret *first;
    struct err e;

    (void)state;
    write_file("first\n", 6);
    setenv("SALVAGE_TOKEN_FILE", path, 1);
    assert_int_equal(http_auth_new(NULL, &a, &e), 0);
    first = http_auth_current(a);
    assert_string_equal(secret_expose(first), "Bearer first");
    assert_ptr_equal(http_auth_current(a), first);
    replace_file("a:b"); /* a token, not a pair */
    assert_string_equal(secret_expose(http_auth_current(a)), "Bearer a:b");
    assert_string_equal(secret_expose(first), "Bearer first"); /* a request under way may still use it */
    replace_file("");
    assert_string_equal(secret_expose(http_auth_current(a)), "Bearer a:b");
    assert_int_equal(unlink(path), 0);
    assert_string_equal(secret_expose(http_auth_current(a)), "Bearer a:b");
    replace_file("third");
    assert_string_equal(secret_expose(http_auth_current(a)), "Bearer third");
    http_auth_free(a);
}

static void credentials_of_the_environment_stay(void **state)
{
    struct http_auth *a = NULL;
    struct err e;

    (void)state;
    setenv("SALVAGE_HTTP_TOKEN", "one", 1);
    assert_int_equal(http_auth_new(NULL, &a, &e), 0);
    setenv("SALVAGE_HTTP_TOKEN", "two", 1);
    assert_string_equal(secret_expose(http_auth_current(a)), "Bearer one");
    http_auth_free(a);
    unsetenv("SALVAGE_HTTP_TOKEN");
    assert_int_equal(http_auth_new(NULL, &a, &e), 0);
    assert_null(a);
    setenv("SALVAGE_TOKEN_FILE", "/nonexistent", 1);
    assert_int_equal(http_auth_new(NULL, &a, &e), -FAULT_CREDENTIALS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(credentials_of_the_environment_stay),
        TEST(a_token_that_is_renewed_is_read_again),
        TEST(without_any_there_are_none),
        TEST(a_pair_is_basic),
        TEST(a_token_is_bearer),
        TEST(a_file_says_which_it_is),
        TEST(a_file_wins_over_the_environment),
        TEST(half_a_pair_is_a_fault),
        TEST(a_malformed_file_is_a_fault_that_does_not_tell_the_secret),
        TEST(the_longest_values_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
