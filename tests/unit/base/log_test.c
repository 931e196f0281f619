/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines as they leave: captured from stderr, by a socket that keeps one write apart from the next. JSON is read back
 * by a real parser.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum { LINE_MOST = 8 * 1024 };

static char line[4 * LINE_MOST];

/* What one log_write sends to stderr, in `line`; the number of writes. */
static int capture(enum log_format format, enum event event, const struct log_pair *pairs)
{
    int ends[2], saved, writes = 0;
    ssize_t n;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    fflush(stderr);
    saved = dup(STDERR_FILENO);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_set_format(format);
    log_write(event, pairs);
    log_set_format(LOG_TEXT);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    while ((n = recv(ends[0], line, sizeof(line) - 1, 0)) > 0) {
        line[n] = '\0';
        writes++;
    }
    close(ends[0]);
    return writes;
}

#define PAIRS(...) ((const struct log_pair[]){__VA_ARGS__, {.type = LOG_PAIR_END}})

/* The line's pairs: what follows time, level and event. */
static const char *text_pairs(const struct log_pair *pairs)
{
    assert_int_equal(capture(LOG_TEXT, EVENT_SHIPPED, pairs), 1);
    assert_non_null(strstr(line, " event=shipped "));
    return strstr(line, " event=shipped ") + strlen(" event=shipped ");
}

static json_t *json_line(const struct log_pair *pairs)
{
    json_error_t error;
    json_t *json;

    assert_int_equal(capture(LOG_JSON, EVENT_SHIPPED, pairs), 1);
    assert_true(text_ends(line, "}\n"));
    json = json_loads(line, JSON_REJECT_DUPLICATES, &error); /* refuses malformed UTF-8 */
    if (!json)
        fail_msg("%s: %s", error.text, line);
    return json;
}

static void a_component_of_the_node_says_which_it_is(void **state)
{
    (void)state;
    assert_int_equal(setenv("SALVAGE_COMPONENT", "watch/shop", 1), 0);
    assert_int_equal(capture(LOG_TEXT, EVENT_SHIPPED, PAIRS(LOG_STR("key", "a"))), 1);
    unsetenv("SALVAGE_COMPONENT");
    assert_non_null(strstr(line, " event=shipped component=watch/shop key=a\n"));
}

static void a_line_begins_with_time_level_and_event(void **state)
{
    char time[CLOCK_TEXT_MAX + 1];
    int64_t ns;

    (void)state;
    assert_int_equal(capture(LOG_TEXT, EVENT_GAVE_UP, PAIRS(LOG_UINT("n", 1))), 1);
    assert_int_equal(sscanf(line, "time=%40s", time), 1);
    assert_int_equal(clock_parse(time, &ns), 0);
    assert_true(ns > clock_wall_ns() - INT64_C(60000000000) && ns <= clock_wall_ns());
    assert_string_equal(line + strlen("time=") + strlen(time), " level=error event=gave-up n=1\n");
}

static void an_event_needs_no_pairs(void **state)
{
    (void)state;
    assert_int_equal(capture(LOG_TEXT, EVENT_OVERFLOW, &(struct log_pair){.type = LOG_PAIR_END}), 1);
    assert_true(text_ends(line, " level=warning event=overflow\n"));
}

static void plain_values_are_not_quoted(void **state)
{
    (void)state;
    assert_string_equal(text_pairs(PAIRS(LOG_STR("key", "shop/cart-7f/heap.hprof.zst"), LOG_STR("url", "s3://b/ä?x&y"),
                                         LOG_UINT("bytes", UINT64_MAX), LOG_REAL("seconds", 1.25), LOG_BOOL("ok", true),
                                         LOG_BOOL("no", false))),
                        "key=shop/cart-7f/heap.hprof.zst url=s3://b/ä?x&y bytes=18446744073709551615 seconds=1.250 "
                        "ok=true no=false\n");
}

static void values_are_quoted_as_needed(void **state)
{
    static const struct {
        const char *value, *written;
    } values[] = {
        {"", "\"\""},
        {"a b", "\"a b\""},
        {"a=b", "\"a=b\""},
        {"a\"b", "\"a\\\"b\""},
        {"a\\b", "\"a\\\\b\""},
        {"a\nb\tc\rd", "\"a\\nb\\tc\\rd\""},
        {"\033[2J", "\"\\u001b[2J\""},
        {"\x7f", "\"\\u007f\""},
        {"\xc2\x9b", "\"\\u009b\""},
        {"event=shipped\nlevel=info", "\"event=shipped\\nlevel=info\""},
        {"\xff", "\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char expected[64];

        snprintf(expected, sizeof(expected), "v=%s w=1\n", values[i].written);
        assert_string_equal(text_pairs(PAIRS(LOG_STR("v", values[i].value), LOG_UINT("w", 1))), expected);
    }
}

static void a_value_that_is_not_there_is_left_out(void **state)
{
    (void)state;
    assert_string_equal(text_pairs(PAIRS(LOG_STR("a", "x"), LOG_STR("b", NULL), LOG_STR("c", "y"))), "a=x c=y\n");
}

static void json_says_the_same(void **state)
{
    json_t *json = json_line(PAIRS(LOG_STR("key", "a \"b\"\\\n\t\x01\x7fü🙂"), LOG_STR("none", NULL),
                                   LOG_UINT("bytes", 1234567890123), LOG_REAL("seconds", 0.5), LOG_BOOL("ok", true)));

    (void)state;
    assert_int_equal(json_object_size(json), 7);
    assert_string_equal(json_string_value(json_object_get(json, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(json, "event")), "shipped");
    assert_string_equal(json_string_value(json_object_get(json, "key")), "a \"b\"\\\n\t\x01\x7fü🙂");
    assert_int_equal(json_integer_value(json_object_get(json, "bytes")), 1234567890123);
    assert_true(json_real_value(json_object_get(json, "seconds")) == 0.5);
    assert_true(json_is_true(json_object_get(json, "ok")));
    json_decref(json);
}

static void json_is_valid_whatever_the_bytes(void **state)
{
    char all[256];
    json_t *json;

    (void)state;
    for (int i = 1; i < 256; i++)
        all[i - 1] = (char)i;
    all[255] = '\0';
    json = json_line(PAIRS(LOG_STR("all", all)));
    assert_int_equal(json_string_length(json_object_get(json, "all")), 127 + 128 * 3); /* each bad byte is U+FFFD */
    json_decref(json);
    json = json_line(PAIRS(LOG_STR("cut", "x\xf0\x9f\x99")));
    assert_string_equal(json_string_value(json_object_get(json, "cut")), "x\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    json_decref(json);
}

static void json_knows_no_infinity(void **state)
{
    json_t *json = json_line(PAIRS(LOG_REAL("a", INFINITY), LOG_REAL("b", NAN), LOG_REAL("c", 1e300)));

    (void)state;
    assert_true(json_is_null(json_object_get(json, "a")));
    assert_true(json_is_null(json_object_get(json, "b")));
    assert_true(json_is_real(json_object_get(json, "c")));
    json_decref(json);
}

/* The worst case for length is six bytes for one. */
static void a_long_line_is_cut_and_still_whole(void **state)
{
    static char words[20000], controls[20000], letters[20000];
    const struct log_pair *pairs = PAIRS(LOG_STR("path", controls), LOG_STR("error", words), LOG_UINT("bytes", 7),
                                         LOG_STR("more", letters), LOG_BOOL("last", true));
    json_t *json;

    (void)state;
    memset(words, ' ', sizeof(words) - 1);
    memset(controls, '\001', sizeof(controls) - 1);
    for (size_t i = 0; i + 2 < sizeof(letters); i += 2)
        memcpy(letters + i, "ü", 3);
    assert_int_equal(capture(LOG_TEXT, EVENT_FAILED, pairs), 1);
    assert_in_range(strlen(line), LINE_MOST / 2, LINE_MOST);
    assert_non_null(strstr(line, "...\" error=\" "));
    assert_non_null(strstr(line, " ...\" bytes=7 more=ü"));
    assert_true(text_ends(line, "ü... last=true\n"));
    json = json_line(pairs);
    assert_true(strlen(line) <= LINE_MOST);
    assert_int_equal(json_integer_value(json_object_get(json, "bytes")), 7);
    assert_true(text_ends(json_string_value(json_object_get(json, "more")), "ü..."));
    assert_true(json_is_true(json_object_get(json, "last")));
    json_decref(json);
}

static void more_pairs_than_fit_are_left_out(void **state)
{
    static struct log_pair pairs[2001];
    json_t *json;

    (void)state;
    for (size_t i = 0; i < 2000; i++)
        pairs[i] = (struct log_pair)LOG_UINT("number", INT64_MAX);
    pairs[2000] = (struct log_pair){.type = LOG_PAIR_END};
    assert_int_equal(capture(LOG_TEXT, EVENT_FAILED, pairs), 1);
    assert_in_range(strlen(line), LINE_MOST - 100, LINE_MOST);
    assert_true(text_ends(line, " number=9223372036854775807\n"));
    assert_int_equal(capture(LOG_JSON, EVENT_FAILED, pairs), 1);
    assert_in_range(strlen(line), LINE_MOST - 100, LINE_MOST);
    json = json_loads(line, 0, NULL);
    assert_non_null(json);
    json_decref(json);
}

static void a_long_path_is_not_cut(void **state)
{
    char path[4001] = "";

    (void)state;
    memset(path, 'p', 4000);
    text_pairs(PAIRS(LOG_STR("path", path), LOG_STR("error", "no")));
    assert_non_null(strstr(line, path));
    assert_true(text_ends(line, "p error=no\n"));
}

static void errno_and_a_stderr_that_is_gone_do_not_matter(void **state)
{
    int saved = dup(STDERR_FILENO);

    (void)state;
    close(STDERR_FILENO);
    errno = EXDEV;
    log_event(EVENT_STARTED, LOG_UINT("dirs", 1));
    assert_int_equal(errno, EXDEV);
    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    close(saved);
}

static void a_full_pipe_does_not_block(void **state)
{
    int ends[2], saved = dup(STDERR_FILENO);

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < 5000; i++)
        log_event(EVENT_STARTED, LOG_UINT("dirs", 1));
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[0]);
    close(ends[1]);
}

static void a_copy_goes_to_another_descriptor_as_json(void **state)
{
    static const struct log_pair pairs[] = {LOG_STR("key", "a b"), {.type = LOG_PAIR_END}};
    char copy[LINE_MOST + 1];
    int ends[2];
    ssize_t n;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_int_equal(log_set_copy(ends[1]), 0);
    assert_true(fcntl(ends[1], F_GETFD) & FD_CLOEXEC);
    assert_non_null(text_pairs(pairs)); /* stderr gets its text as ever */
    n = recv(ends[0], copy, sizeof(copy) - 1, 0);
    assert_true(n > 0);
    copy[n] = '\0';
    assert_true(text_starts(copy, "{\"time\":") && strstr(copy, "\"key\":\"a b\"}\n"));
    for (int i = 0; i < 10000; i++) /* nobody reads: nobody waits */
        capture(LOG_TEXT, EVENT_SHIPPED, pairs);
    assert_int_equal(log_set_copy(-1), 0);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(log_set_copy(ends[1]), -EBADF);
}

static void every_event_has_a_row_and_a_name_that_is_no_others(void **state)
{
    (void)state;
    for (int i = 0; i < EVENT_END; i++) {
        const struct event_info *info = event_find((enum event)i);

        assert_non_null(info->name);
        assert_true(strlen(info->name) > 2 && strspn(info->name, "abcdefghijklmnopqrstuvwxyz-") == strlen(info->name));
        assert_in_range(info->level, LEVEL_INFO, LEVEL_ERROR);
        assert_true(strlen(info->when) > 10);
        assert_non_null(info->pairs);
        for (int other = 0; other < i; other++)
            assert_string_not_equal(info->name, event_find((enum event)other)->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_begins_with_time_level_and_event),
        cmocka_unit_test(a_component_of_the_node_says_which_it_is),
        cmocka_unit_test(an_event_needs_no_pairs),
        cmocka_unit_test(plain_values_are_not_quoted),
        cmocka_unit_test(values_are_quoted_as_needed),
        cmocka_unit_test(a_value_that_is_not_there_is_left_out),
        cmocka_unit_test(json_says_the_same),
        cmocka_unit_test(json_is_valid_whatever_the_bytes),
        cmocka_unit_test(json_knows_no_infinity),
        cmocka_unit_test(a_long_line_is_cut_and_still_whole),
        cmocka_unit_test(more_pairs_than_fit_are_left_out),
        cmocka_unit_test(a_long_path_is_not_cut),
        cmocka_unit_test(errno_and_a_stderr_that_is_gone_do_not_matter),
        cmocka_unit_test(a_full_pipe_does_not_block),
        cmocka_unit_test(a_copy_goes_to_another_descriptor_as_json),
        cmocka_unit_test(every_event_has_a_row_and_a_name_that_is_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
