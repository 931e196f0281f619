/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of tokens: which are read, which are refused with the line, and what a token gives where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "serve/token_file.h"

#define OPS "0123456789abcdef"

static const char FILE_TEXT[] = "# who may\n"
                                "\n"
                                "ops " OPS " admin *\n"
                                "ci\tsha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
                                "  write  shop,pay-*\r\n"
                                "dev another-token-of-some-size read,delete shop";

static const unsigned EVERYTHING = RIGHT_LIST | RIGHT_READ | RIGHT_WRITE | RIGHT_DELETE | RIGHT_ADMIN;

static const struct token *find(const struct token_file *f, const char *token)
{
    unsigned char hash[TOKEN_HASH];

    token_hash_make(token, hash);
    return token_file_find(f, hash);
}

static void tokens_have_rights_in_their_namespaces(void **state)
{
    CLEANUP(token_file_done) struct token_file f = {0};
    const struct token *t;
    struct err e;

    (void)state;
    assert_int_equal(token_file_parse(FILE_TEXT, strlen(FILE_TEXT), &f, &e), 0);
    assert_int_equal(f.count, 3);
    assert_null(find(&f, "unknown-to-this-file"));

    t = find(&f, OPS);
    assert_string_equal(t->name, "ops");
    assert_int_equal(grants_rights(&t->grants, "shop"), EVERYTHING);
    assert_int_equal(grants_rights(&t->grants, ""), EVERYTHING);
    assert_int_equal(grants_rights(&t->grants, "*"), EVERYTHING);

    t = find(&f, "test"); /* given by its digest */
    assert_string_equal(t->name, "ci");
    assert_int_equal(grants_rights(&t->grants, "shop"), RIGHT_WRITE);
    assert_int_equal(grants_rights(&t->grants, "pay-eu"), RIGHT_WRITE);
    assert_int_equal(grants_rights(&t->grants, "shop2"), 0);
    assert_int_equal(grants_rights(&t->grants, "*"), 0);
    assert_int_equal(grants_rights(&t->grants, ""), 0);

    t = find(&f, "another-token-of-some-size");
    assert_int_equal(grants_rights(&t->grants, "shop"), RIGHT_LIST | RIGHT_READ | RIGHT_DELETE);
    assert_int_equal(grants_rights(&t->grants, "pay-eu"), 0);
}

static void one_bad_line_makes_the_file_bad(void **state)
{
    static const struct {
        const char *text, *wanted;
    } FILES[] = {
        {"ops " OPS " admin", "line 1: a line has"},
        {"\n\nops " OPS " admin * more", "line 3: a line has"},
        {"o/ps " OPS " admin *", "line 1: a name has"},
        {"ops 0123456789abcde admin *", "line 1: a token has 16"},
        {"ops sha256:9f86d0 admin *", "line 1: after sha256:"},
        {"ops " OPS " admin,root *", "line 1: rights are"},
        {"ops " OPS " admin, *", "line 1: rights are"},
        {"ops " OPS " Admin *", "line 1: rights are"},
        {"ops " OPS " admin shop,", "line 1: namespaces are"},
        {"ops " OPS " admin shop/cart", "line 1: namespaces are"},
        {"ops " OPS " admin sh[ao]p", "line 1: namespaces are"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(FILES); i++) {
        struct token_file f = {0};
        struct err e = {0};

        if (token_file_parse(FILES[i].text, strlen(FILES[i].text), &f, &e) != -FAULT_FORMAT)
            fail_msg("'%s' was not refused", FILES[i].text);
        if (!strstr(e.msg, FILES[i].wanted) || strstr(e.msg, OPS))
            fail_msg("'%s': %s", FILES[i].text, e.msg);
        assert_null(f.token);
    }
}

static void a_file_that_is_no_text_is_refused(void **state)
{
    static const char TEXT[] = "ops " OPS "\0 admin *";
    struct token_file f = {0};
    char longer[8192];
    struct err e = {0};

    (void)state;
    assert_int_equal(token_file_parse(TEXT, sizeof(TEXT) - 1, &f, &e), -FAULT_FORMAT);
    memset(longer, 'a', sizeof(longer));
    assert_int_equal(token_file_parse(longer, sizeof(longer), &f, &e), -FAULT_FORMAT);
    assert_non_null(strstr(e.msg, "line 1: it is too long"));
    assert_int_equal(token_file_parse("", 0, &f, &e), 0);
    assert_int_equal(f.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_have_rights_in_their_namespaces),
        cmocka_unit_test(one_bad_line_makes_the_file_bad),
        cmocka_unit_test(a_file_that_is_no_text_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
