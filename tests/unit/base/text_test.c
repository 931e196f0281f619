/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers with units at their limits, hex, UTF-8 as RFC 3629 has it, and text that is safe to print.
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

static void comparing_accepts_null(void **state)
{
    (void)state;
    assert_true(text_eq("a", "a"));
    assert_false(text_eq("a", "b"));
    assert_false(text_eq(NULL, NULL));
    assert_false(text_eq("a", NULL));
    assert_true(text_starts("heap.hprof", "heap"));
    assert_true(text_starts("x", ""));
    assert_false(text_starts("he", "heap"));
    assert_false(text_starts(NULL, "heap"));
    assert_true(text_ends("heap.hprof", ".hprof"));
    assert_true(text_ends("x", ""));
    assert_false(text_ends("f", "hprof"));
    assert_false(text_ends(NULL, "x"));
}

struct number {
    const char *text;
    int result;
    uint64_t value;
};

static void check(const struct number *numbers, size_t count, int (*parse)(const char *, uint64_t *))
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 4711;
        int r = parse(numbers[i].text, &value);

        if (r != numbers[i].result || value != (r < 0 ? 4711 : numbers[i].value))
            fail_msg("'%s': %d, %llu", numbers[i].text, r, (unsigned long long)value);
    }
}

static void sizes_are_powers_of_1024(void **state)
{
    static const struct number sizes[] = {
        {"0", 0, 0},
        {"4096", 0, 4096},
        {"4096B", 0, 4096},
        {"1K", 0, 1024},
        {"64M", 0, 64ull << 20},
        {"64m", 0, 64ull << 20},
        {"64MB", 0, 64ull << 20},
        {"1.5GiB", 0, 3ull << 29},
        {"2Gi", 0, 2ull << 30},
        {"0.5K", 0, 512},
        {"0.0001K", 0, 0},
        {"1.50000000000000000000000000K", 0, 1536},
        {"2T", 0, 2ull << 40},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"16777215.999999T", 0, 18446744073708452104ull},
        {"16777216T", -ERANGE, 0},
        {"99999999999999999999999G", -ERANGE, 0},
        {"99999999999999999999999X", -EINVAL, 0},
        {"64X", -EINVAL, 0},
        {"64 M", -EINVAL, 0},
        {"64M ", -EINVAL, 0},
        {" 64M", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"M", -EINVAL, 0},
        {".5M", -EINVAL, 0},
        {"1.M", -EINVAL, 0},
        {"1.5", -EINVAL, 0},
        {"1.5B", -EINVAL, 0},
        {"1.5.5M", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {NULL, -EINVAL, 0},
    };

    (void)state;
    check(sizes, ARRAY_SIZE(sizes), text_parse_size);
}

static void durations_are_milliseconds(void **state)
{
    static const struct number durations[] = {
        {"0", 0, 0},
        {"25", 0, 25000},
        {"25s", 0, 25000},
        {"500ms", 0, 500},
        {"10m", 0, 600000},
        {"2h", 0, 7200000},
        {"1d", 0, 86400000},
        {"1.5s", 0, 1500},
        {"0.25", 0, 250},
        {"0.001s", 0, 1},
        {"18446744073709551615ms", 0, UINT64_MAX},
        {"18446744073709551", 0, 18446744073709551000ull},
        {"18446744073709551.615", 0, UINT64_MAX},
        {"18446744073709551.616", -ERANGE, 0},
        {"18446744073709552", -ERANGE, 0},
        {"1.5ms", -EINVAL, 0},
        {"1w", -EINVAL, 0},
        {"1 s", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"", -EINVAL, 0},
        {NULL, -EINVAL, 0},
    };

    (void)state;
    check(durations, ARRAY_SIZE(durations), text_parse_duration);
}

static int parse_up_to_100(const char *text, uint64_t *ret)
{
    return text_parse_uint(text, 100, ret);
}

static int parse_any(const char *text, uint64_t *ret)
{
    return text_parse_uint(text, UINT64_MAX, ret);
}

static void numbers_are_digits_only(void **state)
{
    static const struct number small[] = {
        {"0", 0, 0},         {"100", 0, 100},    {"000000000000000000000000000007", 0, 7},
        {"101", -ERANGE, 0}, {"1a", -EINVAL, 0}, {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},  {" 1", -EINVAL, 0}, {"1 ", -EINVAL, 0},
        {"", -EINVAL, 0},    {NULL, -EINVAL, 0}, {"99999999999999999999999999x", -EINVAL, 0},
    };
    static const struct number large[] = {
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"99999999999999999999999999", -ERANGE, 0},
    };

    (void)state;
    check(small, ARRAY_SIZE(small), parse_up_to_100);
    check(large, ARRAY_SIZE(large), parse_any);
}

static void sizes_print_in_their_unit(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {
        {0, "0 B"},           {312, "312 B"},          {1023, "1023 B"},
        {1024, "1.0 KiB"},    {1536, "1.5 KiB"},       {1048524, "1023.9 KiB"},
        {1048575, "1.0 MiB"}, {1503238554, "1.4 GiB"}, {UINT64_MAX, "16.0 EiB"},
    };
    char out[TEXT_SIZE_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        assert_string_equal(text_format_size(sizes[i].bytes, out), sizes[i].text);
}

static void durations_print_like_a_clock(void **state)
{
    char out[TEXT_DURATION_MAX];

    (void)state;
    assert_string_equal(text_format_duration(0, out), "0:00");
    assert_string_equal(text_format_duration(7, out), "0:07");
    assert_string_equal(text_format_duration(3599, out), "59:59");
    assert_string_equal(text_format_duration(3753, out), "1:02:33");
    assert_string_equal(text_format_duration(UINT64_MAX, out), "5124095576030431:00:15");
}

static void hex_goes_there_and_back(void **state)
{
    static const unsigned char bytes[] = {0x00, 0x7f, 0x80, 0xff, 0xa5};
    unsigned char back[5] = {0};
    char hex[11];

    (void)state;
    text_hex(bytes, sizeof(bytes), hex);
    assert_string_equal(hex, "007f80ffa5");
    assert_int_equal(text_unhex(hex, back, sizeof(back)), 0);
    assert_memory_equal(back, bytes, sizeof(bytes));
    assert_int_equal(text_unhex("007F80FFA5", back, sizeof(back)), 0);
    assert_memory_equal(back, bytes, sizeof(bytes));
    text_hex("", 0, hex);
    assert_string_equal(hex, "");
    assert_int_equal(text_unhex("", back, 0), 0);
}

static void hex_of_another_length_is_refused(void **state)
{
    static const char *const bad[] = {"", "0", "00112", "001122", "0011223344", "001122g3", "0x112233", "0011 233"};
    unsigned char out[4] = {1, 2, 3, 4};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(text_unhex(bad[i], out, sizeof(out)), -EINVAL);
    assert_int_equal(text_unhex(NULL, out, sizeof(out)), -EINVAL);
    assert_memory_equal(out, "\1\2\3\4", 4);
}

static void utf8_is_that_of_rfc_3629(void **state)
{
    static const struct {
        const char *text;
        size_t size, length;
    } sequences[] = {
        {"a", 1, 1},
        {"\0", 1, 1},
        {"\x7f", 1, 1},
        {"\xc2\x80", 2, 2},
        {"\xdf\xbf", 2, 2},
        {"\xe0\xa0\x80", 3, 3},
        {"\xed\x9f\xbf", 3, 3},
        {"\xef\xbf\xbf", 3, 3},
        {"\xf0\x90\x80\x80", 4, 4},
        {"\xf4\x8f\xbf\xbf", 4, 4},
        {"\xc3\xa4xyz", 5, 2},
        {"", 0, 0},
        {"\x80", 1, 0},
        {"\xc0\xaf", 2, 0},         /* overlong */
        {"\xc1\xbf", 2, 0},         /* overlong */
        {"\xe0\x9f\xbf", 3, 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 4, 0}, /* overlong */
        {"\xed\xa0\x80", 3, 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 4, 0}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", 4, 0},
        {"\xff", 1, 0},
        {"\xc3", 1, 0}, /* cut short */
        {"\xe2\x82", 2, 0},
        {"\xf0\x9f\x99", 3, 0},
        {"\xc3x", 2, 0},
        {"\xe2\x82x", 3, 0},
        {"\xf0\x9f\x99x", 4, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sequences); i++)
        assert_int_equal(text_utf8_length(sequences[i].text, sequences[i].size), sequences[i].length);
}

static void printable_replaces_what_moves_the_cursor(void **state)
{
    char out[64];

    (void)state;
    assert_string_equal(text_printable("a\tb\r\n\033c\177", out, sizeof(out)), "a?b???c?");
    assert_string_equal(text_printable("ä日🙂", out, sizeof(out)), "ä日🙂");
    assert_string_equal(text_printable("\xff\xc3", out, sizeof(out)), "??");
    assert_string_equal(text_printable("\xc2\x9b\x31m", out, sizeof(out)), "?1m");                 /* C1's CSI */
    assert_string_equal(text_printable("\xe2\x80\xaegpj\xe2\x81\xa6", out, sizeof(out)), "?gpj?"); /* bidi */
    assert_string_equal(text_printable("\xc2\xa0\xe2\x80\x93", out, sizeof(out)), "\xc2\xa0\xe2\x80\x93");
    assert_string_equal(text_printable("", out, sizeof(out)), "");
}

static void printable_cuts_between_characters(void **state)
{
    char out[8];

    (void)state;
    assert_string_equal(text_printable("1234567", out, sizeof(out)), "1234567");
    assert_string_equal(text_printable("12345678", out, sizeof(out)), "1234...");
    assert_string_equal(text_printable("123äxyz", out, sizeof(out)), "123...");
    assert_string_equal(text_printable("äöüx", out, sizeof(out)), "äöüx");
    assert_string_equal(text_printable("äöüxy", out, sizeof(out)), "äö...");
    assert_string_equal(text_printable("abcd", out, 4), "...");
    assert_string_equal(text_printable("abc", out, 4), "abc");
    assert_string_equal(text_printable("abcd", out, 3), "ab");
    assert_string_equal(text_printable("abcd", out, 1), "");
    out[0] = 'x';
    text_printable("abcd", out, 0);
    assert_int_equal(out[0], 'x');
}

static void a_mistyped_word_is_recognised(void **state)
{
    static const char *const names[] = {"memory", "growth", "oom-in", "gc", NULL};
    static const struct {
        const char *word, *name;
    } rows[] = {
        {"memory", "memory"}, {"mem", "memory"}, {"memroy", "memory"}, {"Growth", "growth"}, {"oom_in", "oom-in"},
        {"oom", "oom-in"},    {"cg", NULL},      {"xy", NULL},         {"", NULL},           {"processor", NULL},
    };
    char endless[TEXT_FAR + 2];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *name = text_nearest(rows[i].word, names);

        if (rows[i].name)
            assert_string_equal(name, rows[i].name);
        else
            assert_null(name);
    }
    memset(endless, 'm', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    assert_int_equal(text_distance(endless, "m"), TEXT_FAR);
    assert_null(text_nearest(endless, names));
    assert_int_equal(text_distance("", ""), 0);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
}

static void what_is_not_seen_or_turns_the_text_is_a_control(void **state)
{
    static const char *const controls[] = {"\x01",   "\x1b",   "\x7f",   "\xc2\x80",   "\xc2\x9b",  "\u061c",
                                           "\u200e", "\u200f", "\u2028", "\u202a",     "\u202e",    "\u2066",
                                           "\u2069", "\ufeff", "\ufffb", "\U000e0001", "\U000e007f"};
    static const char *const others[] = {" ",      "~",      "\u00a0", "\u00fc",    "\u200d",
                                         "\u2027", "\u202f", "\u4e2d", "\U0001f600"};
    char out[8];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
        assert_int_not_equal(text_control(controls[i], strlen(controls[i])), 0);
        assert_string_equal(text_printable(controls[i], out, sizeof(out)), "?");
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_int_equal(text_control(others[i], strlen(others[i])), 0);
        assert_string_equal(text_printable(others[i], out, sizeof(out)), others[i]);
    }
    assert_int_equal(text_control("\u202e", 3), 0x202e);
}

/* As one piece, and byte by byte. */
static void assert_shown(const char *text, size_t size, const char *expected)
{
    struct text_screen whole = {0}, bytes = {0};
    char out[128];
    size_t used = text_screen(&whole, text, size, out);

    assert_int_equal(used, strlen(expected));
    assert_memory_equal(out, expected, used);
    used = 0;
    for (size_t i = 0; i < size; i++)
        used += text_screen(&bytes, text + i, 1, out + used);
    assert_int_equal(used, strlen(expected));
    assert_memory_equal(out, expected, used);
}

static void a_stream_to_a_terminal_has_no_control_characters(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"two\nlines\tof text", "two\nlines\tof text"},
        {"\033[2J\007\r\177", "?[2J???"},
        {"\x9b\x31m \x80 \x9f \xff", "?1m ? ? ?"},           /* C1 as single bytes */
        {"\xc2\x9b\x31m", "?1m"},                            /* and in UTF-8 */
        {"\xe2\x80\xaegpj\xe2\x81\xa6 \xd8\x9c", "?gpj? ?"}, /* direction */
        {"ä日🙂", "ä日🙂"},
        {"\xe6\x97x\xf0\x9f\x99x", "??x???x"}, /* cut characters */
        {"\xed\xa0\x80 \xc0\x80 \xf5", "??? ?? ?"},
        {"\xe6\x97", ""}, /* what is to come may make it one */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_shown(cases[i].text, strlen(cases[i].text), cases[i].expected);
    assert_shown("a\0b", 3, "a?b");
}

static void a_signed_size_has_its_sign(void **state)
{
    char text[TEXT_SIGNED_SIZE_MAX];

    (void)state;
    assert_string_equal(text_format_signed_size(0, "-", text), "+0 B");
    assert_string_equal(text_format_signed_size(1536, "-", text), "+1.5 KiB");
    assert_string_equal(text_format_signed_size(-1536, "-", text), "-1.5 KiB");
    assert_string_equal(text_format_signed_size(INT64_MIN, "\xe2\x88\x92", text), "\xe2\x88\x92"
                                                                                  "8.0 EiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing_accepts_null),
        cmocka_unit_test(a_stream_to_a_terminal_has_no_control_characters),
        cmocka_unit_test(sizes_are_powers_of_1024),
        cmocka_unit_test(durations_are_milliseconds),
        cmocka_unit_test(numbers_are_digits_only),
        cmocka_unit_test(sizes_print_in_their_unit),
        cmocka_unit_test(durations_print_like_a_clock),
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(hex_of_another_length_is_refused),
        cmocka_unit_test(utf8_is_that_of_rfc_3629),
        cmocka_unit_test(printable_replaces_what_moves_the_cursor),
        cmocka_unit_test(printable_cuts_between_characters),
        cmocka_unit_test(a_mistyped_word_is_recognised),
        cmocka_unit_test(what_is_not_seen_or_turns_the_text_is_a_control),
        cmocka_unit_test(a_signed_size_has_its_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
