/* SPDX-License-Identifier: Apache-2.0
 *
 * Small evidence of each format: whole as it is, and partial wherever it is cut. Fed in one piece and byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "format/wholeness.h"
#include "gzip_make.h"

static bool is_whole(enum content content, const void *data, size_t size, size_t piece)
{
    CLEANUP(wholeness_done) struct wholeness w;
    char out[128];

    wholeness_init(&w, content);
    for (size_t at = 0; at < size; at += piece)
        assert_int_equal(wholeness_feed(&w, (const char *)data + at, size - at < piece ? size - at : piece), 0);
    return wholeness_partial(&w, out, sizeof(out)) == NULL;
}

/* slack: bytes at the end that say nothing more. */
static void assert_cuts(enum content content, const void *data, size_t size, size_t slack)
{
    for (size_t cut = 1; cut <= size; cut++) {
        bool whole = is_whole(content, data, cut, size);

        assert_int_equal(whole, cut + slack >= size);
        assert_int_equal(is_whole(content, data, cut, 1), whole);
    }
}

#define CUTS(content, text, slack) assert_cuts(content, text, sizeof(text) - 1, slack)

static void a_heap_dump_in_gzip(void **state)
{
    static const char dump[] =
        "JAVA PROFILE 1.0.2\0\0\0\0\x08\0\0\0\0\0\0\0\0\x1c\0\0\0\0\0\0\0\4body\x2c\0\0\0\0\0\0\0\0";
    unsigned char out[512];
    size_t size;

    (void)state;
    size = gzip_make(dump, sizeof(dump) - 1, out, sizeof(out));
    assert_cuts(CONTENT_HPROF_GZIP, out, size, 0);
    out[size - 5] ^= 1; /* a checksum */
    assert_false(is_whole(CONTENT_HPROF_GZIP, out, size, size));
    /* Members, as HotSpot writes them; each of them whole, and the dump cut between two. */
    size = gzip_make(dump, 40, out, sizeof(out));
    assert_false(is_whole(CONTENT_HPROF_GZIP, out, size, size));
    size += gzip_make(dump + 40, sizeof(dump) - 1 - 40, out + size, sizeof(out) - size);
    assert_cuts(CONTENT_HPROF_GZIP, out, size, 0);
    size = gzip_make(dump, sizeof(dump) - 1 - 9, out, sizeof(out));
    assert_false(is_whole(CONTENT_HPROF_GZIP, out, size, size));
}

static void recordings(void **state)
{
    unsigned char chunks[70 + 80] = "FLR\0\0\2\0\1\0\0\0\0\0\0\0\x46";

    (void)state;
    memcpy(chunks + 70, chunks, 70);
    chunks[70 + 15] = 80;
    assert_true(is_whole(CONTENT_RECORDING, chunks, 70, 70));
    assert_true(is_whole(CONTENT_RECORDING, chunks, 150, 150));
    for (size_t cut = 71; cut < 150; cut++)
        assert_false(is_whole(CONTENT_RECORDING, chunks, cut, 7));
    assert_cuts(CONTENT_RECORDING, chunks, 70, 0);
    chunks[70 + 64] = 1;
    assert_false(is_whole(CONTENT_RECORDING, chunks, 150, 150));
}

static void cores(void **state)
{
    unsigned char wide[64 + 2 * 56 + 16] = "\x7f"
                                           "ELF\2\1\1\0\0\0\0\0\0\0\0\0\4\0\x3e\0";
    unsigned char narrow[52 + 32 + 8] = "\x7f"
                                        "ELF\1\2\1\0\0\0\0\0\0\0\0\0\0\4\0\x14";

    (void)state;
    wide[32] = 64;
    wide[54] = 56;
    wide[56] = 2;
    wide[64 + 8] = 64 + 2 * 56;
    wide[64 + 32] = 8;
    wide[64 + 56 + 8] = 64 + 2 * 56 + 8;
    wide[64 + 56 + 32] = 8;
    assert_cuts(CONTENT_CORE, wide, sizeof(wide), 0);
    wide[56] = wide[57] = 0xff; /* more segments than the field holds: how many says the first one's place */
    assert_cuts(CONTENT_CORE, wide, sizeof(wide), 0);
    narrow[31] = 52;
    narrow[43] = 32;
    narrow[45] = 1;
    narrow[52 + 7] = 52 + 32;
    narrow[52 + 19] = 8;
    assert_cuts(CONTENT_CORE, narrow, sizeof(narrow), 0);
}

static void texts(void **state)
{
    (void)state;
    CUTS(CONTENT_JAVACORE,
         "0SECTION       TITLE\nNULL           ---------------------- END OF DUMP ------------------------------\n", 1);
    CUTS(CONTENT_HS_ERR, "#\n# A fatal error\nEND.\n", 1);
    CUTS(CONTENT_HS_ERR, "#\n# JDK 8\ntime: Mon\nelapsed time: 3 seconds (0d 0h 0m 3s)\n\n", 1);
    assert_false(is_whole(CONTENT_HS_ERR, "#\nelapsed time: 3 seconds\nmore\n", 31, 4));
    CUTS(CONTENT_HEAP_SNAPSHOT, "{\"snapshot\":{\"meta\":[\"}]\",\"\\\"\"]},\"strings\":[1]}\n", 1);
    assert_true(is_whole(CONTENT_OTHER, "anything", 8, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heap_dump_in_gzip),
        cmocka_unit_test(recordings),
        cmocka_unit_test(cores),
        cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
