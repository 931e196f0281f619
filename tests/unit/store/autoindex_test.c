/* SPDX-License-Identifier: Apache-2.0
 *
 * What nginx and Apache really send is read, and no link leads out of the folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/http/autoindex.h"

static const int64_t MINUTE = 1795226160000000000; /* 2026-11-21 01:56:00 UTC */

static void decode(const char *text, struct autoindex *ret)
{
    size_t size = strlen(text);
    CLEANUP_FREE char *copy = malloc(size); /* without NUL: a read too far is caught */

    memcpy(copy, text, size); /* NOLINT(bugprone-not-null-terminated-result) */
    assert_int_equal(autoindex_decode(copy, size, ret), 0);
}

static void check(const struct autoindex *a, size_t i, const char *name, bool folder, uint64_t size, int64_t time_ns)
{
    assert_true(i < a->count);
    assert_string_equal(a->entry[i].name, name);
    assert_int_equal(a->entry[i].folder, folder);
    assert_int_equal(a->entry[i].size, size);
    assert_int_equal(a->entry[i].time_ns, time_ns);
}

static void nginx_html(void **state)
{
    static const char page[] =
        "<html>\r\n<head><title>Index of /</title></head>\r\n<body>\r\n<h1>Index of /</h1><hr><pre>"
        "<a href=\"../\">../</a>\r\n"
        "<a href=\"case-1/\">case-1/</a>                                            21-Nov-2026 01:56                  "
        " "
        "-\r\n"
        "<a href=\"100%25\">100%</a>                                               21-Nov-2026 01:56                   "
        "5\r\n"
        "<a href=\"a%20b%26c%3Cd%3E%22e%27.txt\">a b&amp;c&lt;d&gt;&quot;e'.txt</a>                               "
        "     21-Nov-2026 01:56                   5\r\n"
        "<a href=\"caf%C3%A9\">caf\xc3\xa9</a>                                              21-Nov-2026 01:56          "
        "         5\r\n"
        "<a href=\"colon%3A1.txt\">colon:1.txt</a>                                        21-Nov-2026 01:56            "
        "       5\r\n"
        "<a href=\"heap.hprof.zst\">heap.hprof.zst</a>                                     21-Nov-2026 01:56  "
        "9223372036854775807\r\n"
        "<a href=\"new%0Aline\">new\nline</a>                                           21-Nov-2026 01:56              "
        "     5\r\n"
        "<a href=\"q%3Fx%23y\">q?x#y</a>                                              21-Nov-2026 01:56                "
        " "
        "  5\r\n"
        "<a href=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\">xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxx..&gt;</a> 21-Nov-2026 01:56                 12K\r\n"
        "</pre><hr></body>\r\n</html>\r\n";
    CLEANUP(autoindex_done) struct autoindex a = {0};

    (void)state;
    decode(page, &a);
    assert_int_equal(a.count, 8);
    check(&a, 0, "case-1", true, 0, MINUTE);
    check(&a, 1, "100%", false, 5, MINUTE);
    check(&a, 2, "a b&c<d>\"e'.txt", false, 5, MINUTE);
    check(&a, 3, "caf\xc3\xa9", false, 5, MINUTE);
    check(&a, 4, "colon:1.txt", false, 5, MINUTE);
    check(&a, 5, "heap.hprof.zst", false, INT64_MAX, MINUTE);
    check(&a, 6, "q?x#y", false, 5, MINUTE);
    check(&a, 7, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false, 0, MINUTE); /* 12K: rounded */
}

static void nginx_json(void **state)
{
    static const char page[] =
        "[\r\n"
        "{ \"name\":\"case-1\", \"type\":\"directory\", \"mtime\":\"Sat, 21 Nov 2026 01:56:05 GMT\" },\r\n"
        "{ \"name\":\"a b&c<d>\\\"e'.txt\", \"type\":\"file\", \"mtime\":\"Sat, 21 Nov 2026 01:56:05 GMT\", \"size\":5 "
        "},\r\n"
        "{ \"name\":\"latin\xe9\", \"type\":\"file\", \"mtime\":\"Sat, 21 Nov 2026 01:56:05 GMT\", \"size\":5 },\r\n"
        "{ \"name\":\"new\\nline\", \"type\":\"file\", \"mtime\":\"Sat, 21 Nov 2026 01:56:05 GMT\", \"size\":5 },\r\n"
        "{ \"name\":\"fifo\", \"type\":\"other\", \"mtime\":\"Sat, 21 Nov 2026 01:56:05 GMT\" },\r\n"
        "{ \"name\":\"caf\xc3\xa9\", \"type\":\"file\", \"mtime\":\"soon\", \"size\":1234567890123 }\r\n"
        "]";
    static const int64_t second = 1795226165000000000;
    CLEANUP(autoindex_done) struct autoindex a = {0};

    (void)state;
    decode(page, &a);
    assert_int_equal(a.count, 3);
    check(&a, 0, "case-1", true, 0, second);
    check(&a, 1, "a b&c<d>\"e'.txt", false, 5, second);
    check(&a, 2, "caf\xc3\xa9", false, 1234567890123, 0);
}

static void apache_html(void **state)
{
    static const char page[] =
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of "
        "/dumps</title>\n "
        "</head>\n <body>\n<h1>Index of /dumps</h1>\n  <table>\n   <tr><th valign=\"top\"><img "
        "src=\"/icons/blank.gif\" "
        "alt=\"[ICO]\"></th><th><a href=\"?C=N;O=D\">Name</a></th><th><a href=\"?C=M;O=A\">Last "
        "modified</a></th></tr>\n"
        "<tr><td valign=\"top\"><img src=\"/icons/back.gif\" alt=\"[PARENTDIR]\"></td><td><a href=\"/\">Parent "
        "Directory</a></td><td>&nbsp;</td><td align=\"right\">  - </td></tr>\n"
        "<tr><td valign=\"top\"><a href=\"a&amp;b.hprof.zst\"><img src=\"/icons/unknown.gif\" alt=\"[   ]\"></a></td>"
        "<td><a href=\"a&amp;b.hprof.zst\">a&amp;b.hprof.zst</a></td><td align=\"right\">2026-11-21 01:56  </td><td "
        "align=\"right\">1.2M</td></tr>\n"
        "<tr><td><A CLASS=x HREF='./with:colon'>with:colon</A></td></tr>\n"
        "<tr><td><a href=folder/ >folder/</a></td></tr>\n"
        "</table>\n<address>Apache/2.4 at <a href=\"mailto:root@x\">x</a></address></body></html>\n";
    CLEANUP(autoindex_done) struct autoindex a = {0};

    (void)state;
    decode(page, &a);
    assert_int_equal(a.count, 3);
    check(&a, 0, "a&b.hprof.zst", false, 0, 0); /* icon and name are links: one entry */
    check(&a, 1, "with:colon", false, 0, 0);
    check(&a, 2, "folder", true, 0, 0);
}

static void empty_folders(void **state)
{
    static const char *const pages[] = {
        "[]",
        "[\r\n]",
        " \n[ ]\n",
        "<html><head><title>Index of /</title></head><body><a href=\"../\">../</a></body></html>",
        "<!doctype html><title>nothing</title>",
        "<a href=\"../\">../</a>"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        CLEANUP(autoindex_done) struct autoindex a = {0};

        decode(pages[i], &a);
        assert_int_equal(a.count, 0);
    }
}

static void links_that_lead_elsewhere_are_dropped(void **state)
{
    static const char *const links[] = {
        "",
        "/",
        ".",
        "./",
        "..",
        "../",
        "../../etc/passwd",
        "/etc/passwd",
        "//host/x",
        "http://host/x",
        "javascript:alert(1)",
        "a:b",
        "a/b",
        "a/b/",
        "a//",
        "?C=N;O=D",
        "a?x=1",
        "#top",
        "a#top",
        "%2e%2e",
        "%2E%2E/",
        "..%2fetc",
        "a%2Fb",
        "a%00b",
        "a%0ab",
        "a%7f",
        "a&#x27;/b",
        "./../x",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        CLEANUP(autoindex_done) struct autoindex a = {0};
        char page[256];

        snprintf(page, sizeof(page), "<html><a href=\"good\">x</a><a href=\"%s\">x</a><a href='better'>x</a>",
                 links[i]);
        decode(page, &a);
        if (a.count != 2)
            fail_msg("followed: %s", links[i]);
        check(&a, 0, "good", false, 0, 0);
        check(&a, 1, "better", false, 0, 0);
    }
}

static void a_link_with_nul_in_it_is_dropped(void **state)
{
    static const char page[] = "<html><a href=\"a\0b\">x</a>";
    CLEANUP(autoindex_done) struct autoindex a = {0};

    (void)state;
    assert_int_equal(autoindex_decode(page, sizeof(page) - 1, &a), 0);
    assert_int_equal(a.count, 0);
}

static void names_in_json_that_lead_elsewhere_are_dropped(void **state)
{
    static const char page[] = "[{\"name\":\"..\",\"type\":\"directory\"},{\"name\":\".\",\"type\":\"directory\"},"
                               "{\"name\":\"a/b\",\"type\":\"file\"},{\"name\":\"\",\"type\":\"file\"},"
                               "{\"name\":\"\\u007f\",\"type\":\"file\"},{\"name\":\"%2e%2e\",\"type\":\"file\"}]";
    CLEANUP(autoindex_done) struct autoindex a = {0};

    (void)state;
    decode(page, &a);
    assert_int_equal(a.count, 1);
    check(&a, 0, "%2e%2e", false, 0, 0); /* JSON has no escapes of URLs: this is a name */
}

static void sizes_that_are_none_are_unknown(void **state)
{
    static const char page[] = "[{\"name\":\"a\",\"type\":\"file\",\"size\":-1},{\"name\":\"b\",\"type\":\"file\","
                               "\"size\":\"7\"},{\"name\":\"c\",\"type\":\"file\",\"size\":1.5}]";
    CLEANUP(autoindex_done) struct autoindex a = {0};

    (void)state;
    decode(page, &a);
    assert_int_equal(a.count, 3);
    for (size_t i = 0; i < a.count; i++)
        assert_int_equal(a.entry[i].size, 0);
}

static void columns_that_are_none_are_unknown(void **state)
{
    static const char *const columns[] = {
        "",
        "  21-Nov-2026",
        "  21.Nov-2026 01:56  5",
        "  21-Nov.2026 01:56  5",
        "  2x-Nov-2026 01:56  5",
        "  99-Nov-2026 01:56  5",
        "  21-Foo-2026 01:56  5",
        "  21-anF-2026 01:56  5",
        "  21-No-2026 01:56  5",
        "  21-Nov-2026 25:56  5",
        "  21-Nov-2026T01:56  5",
        "  21-Nov-2026 01:5",
        "  -1-Nov-2026 01:56  5",
        "<td>21-Nov-2026 01:56</td>  5",
        "\r\n21-Nov-2026 01:56  5",
        "  2026-11-21 01:56  5",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        CLEANUP(autoindex_done) struct autoindex a = {0};
        char page[256];

        snprintf(page, sizeof(page), "<a href=\"x\">x</a>%s\r\n", columns[i]);
        decode(page, &a);
        assert_int_equal(a.count, 1);
        if (a.entry[0].size || a.entry[0].time_ns)
            fail_msg("believed: %s", columns[i]);
    }
}

static void what_is_no_listing_is_refused(void **state)
{
    static const char *const pages[] = {
        "",
        "  \n",
        "hello",
        "{\"error\":\"x\"}",
        "[",
        "[1]",
        "[{}]",
        "[{\"name\":\"a\"}]",
        "[{\"name\":7,\"type\":\"file\"}]",
        "[{\"name\":\"a\",\"type\":\"file\"},\"x\"]",
        "[] x",
        "[\"\xff\"]",
        "<?xml version=\"1.0\"?><ListBucketResult></ListBucketResult>",
        "<abbr href=\"x\">",
        "<!-- <html><a href=\"x\">x</a> -->",
        "<!-- <html>",
        "<",
    };
    struct autoindex untouched;

    (void)state;
    memset(&untouched, 0x5a, sizeof(untouched));
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        struct autoindex a = untouched;

        if (autoindex_decode(pages[i], strlen(pages[i]), &a) != -EBADMSG)
            fail_msg("accepted: %s", pages[i]);
        assert_memory_equal(&a, &untouched, sizeof(a));
    }
    assert_int_equal(autoindex_decode(NULL, 0, &untouched), -EBADMSG);
}

static void a_page_cut_at_any_byte_gives_no_more_than_it_has(void **state)
{
    static const char page[] = "<html><a href=\"one\">one</a>   21-Nov-2026 01:56   5\n<!-- x --><a class='y' "
                               "href=\"t&amp;w%6F\">x</a>  21-Nov-2026 01:56   6\n";

    (void)state;
    for (size_t size = 0; size < sizeof(page); size++) {
        CLEANUP_FREE char *copy = malloc(size + 1);
        CLEANUP(autoindex_done) struct autoindex a = {0};

        copy = realloc(copy, size > 0 ? size : 1); /* the exact size: a read too far is caught */
        memcpy(copy, page, size);
        assert_int_equal(autoindex_decode(copy, size, &a), size < strlen("<html") ? -EBADMSG : 0);
        assert_true(a.count <= 2);
    }
}

static void a_hundred_thousand_entries(void **state)
{
    enum { COUNT = 100000 };
    CLEANUP(buf_done) struct buf page = {.ceiling = (size_t)64 * 1024 * 1024};
    CLEANUP(autoindex_done) struct autoindex a = {0};

    (void)state;
    assert_int_equal(buf_add_text(&page, "<html>"), 0);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(buf_printf(&page, "<a href=\"f%d\">f</a>   21-Nov-2026 01:56   %d\r\n", i, i), 0);
    assert_int_equal(autoindex_decode(page.data, page.size, &a), 0);
    assert_int_equal(a.count, COUNT);
    check(&a, COUNT - 1, "f99999", false, 99999, MINUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nginx_html),
        cmocka_unit_test(nginx_json),
        cmocka_unit_test(apache_html),
        cmocka_unit_test(empty_folders),
        cmocka_unit_test(links_that_lead_elsewhere_are_dropped),
        cmocka_unit_test(a_link_with_nul_in_it_is_dropped),
        cmocka_unit_test(names_in_json_that_lead_elsewhere_are_dropped),
        cmocka_unit_test(sizes_that_are_none_are_unknown),
        cmocka_unit_test(columns_that_are_none_are_unknown),
        cmocka_unit_test(what_is_no_listing_is_refused),
        cmocka_unit_test(a_page_cut_at_any_byte_gives_no_more_than_it_has),
        cmocka_unit_test(a_hundred_thousand_entries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
