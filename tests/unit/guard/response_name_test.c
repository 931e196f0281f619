/* SPDX-License-Identifier: Apache-2.0
 *
 * What an answer is called: the URL's last part, an ending, and never what is another piece's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "guard/response_name.h"

#define GZIP "\x1f\x8b\x08\0\0\0"

static void check(const char *url, const char *head, size_t size, const char *expected)
{
    char out[RESPONSE_NAME_MAX];

    assert_string_equal(response_name(url, head, size, out), expected);
}

static void the_last_part_of_the_path_is_the_name(void **state)
{
    (void)state;
    check("http://127.0.0.1:6060/debug/pprof/heap", GZIP, 6, "heap.pprof");
    check("http://127.0.0.1:6060/debug/pprof/heap?debug=1", "heap profile: 1", 15, "heap.txt");
    check("http://127.0.0.1:6060/debug/pprof/heap?file=/a/b.c", GZIP, 6, "heap.pprof");
    check("https://localhost/metrics/", "x 1\n", 4, "metrics.txt");
    check("http://localhost/a/report.csv#top", "x", 1, "report.csv");
}

static void without_an_ending_the_first_bytes_are_asked(void **state)
{
    static const struct {
        const char *head;
        size_t size;
        const char *expected;
    } rows[] = {
        {"JAVA PROFILE 1.0.2\0\0\0\0", 22, "x.hprof"},
        {" \r\n{\"a\":1}", 10, "x.json"},
        {"[]", 2, "x.json"},
        {"\tplain\n", 7, "x.txt"},
        {GZIP, 6, "x.gz"},
        {"\0\1", 2, "x.bin"},
        {"{\0", 2, "x.bin"},
        {" ", 1, "x.txt"},
        {"", 0, "x.txt"},
        {"caf\xc3\xa9", 5, "x.txt"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check("http://h/x", rows[i].head, rows[i].size, rows[i].expected);
}

static void a_url_without_a_path_has_a_name_too(void **state)
{
    (void)state;
    check("http://h", "x", 1, "get-answer.txt");
    check("http://h/", "x", 1, "get-answer.txt");
    check("http://h?q=1", "x", 1, "get-answer.txt");
    check("http://h/..", "x", 1, "get-answer.txt");
}

static void a_name_is_safe_in_any_folder(void **state)
{
    (void)state;
    check("http://h/.hidden", "x", 1, "hidden.txt");
    check("http://h/--help", "x", 1, "help.txt");
    check("http://h/a%2fb;c=d", "x", 1, "a-2fb-c-d.txt");
    check("http://h/caf\xc3\xa9", "x", 1, "caf--.txt");
    check("http://h/a-very-long-name-that-never-seems-to-end", "x", 1, "a-very-long-name-that-n.txt");
}

static void a_piece_of_ours_keeps_its_name(void **state)
{
    (void)state;
    check("http://h/actuator/threads", "x", 1, "get-threads.txt");
    check("http://h/stats.json", "{", 1, "get-stats.json");
    check("http://h/guard.json", "{", 1, "get-guard.json");
    check("http://h/core", "\0", 1, "get-core.bin");
    check("http://h/threads2", "x", 1, "threads2.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_part_of_the_path_is_the_name),
        cmocka_unit_test(without_an_ending_the_first_bytes_are_asked),
        cmocka_unit_test(a_url_without_a_path_has_a_name_too),
        cmocka_unit_test(a_name_is_safe_in_any_folder),
        cmocka_unit_test(a_piece_of_ours_keeps_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
