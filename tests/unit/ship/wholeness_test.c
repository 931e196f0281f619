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
#include "gzip_make.h"
#include "ship/wholeness.h"

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

/* A dump with a record of each kind, as version says it is laid out. Returns its size. */
static size_t make_phd(unsigned version, unsigned flags, unsigned char *out)
{
    static const unsigned char hashes[] = {0xaa, 0xab}, zeros[64] = {0};
    unsigned word = flags & 1 ? 8 : 4, hash = (flags & 6) == 6 ? 2 : 0, size = version >= 6 ? 4 : 0;
    unsigned char *p = out;

#define PUT(bytes, n) (memcpy(p, bytes, n), p += (n))
#define TEXT(text) PUT(text, sizeof(text) - 1)
    TEXT("\0\x12portable heap dump\0\0\0");
    *p++ = (unsigned char)version;
    TEXT("\0\0\0");
    *p++ = (unsigned char)flags;
    TEXT("\1\1totalref\3randomly\4\0\4JRE8\2\2");
    TEXT("\x8d\0\1"); /* short, gap of 2 bytes, one reference of 2 */
    PUT(hashes, hash);
    TEXT("\0\3");
    TEXT("\x60\1"); /* medium, four references of one byte */
    PUT(zeros, word);
    PUT(hashes, hash);
    TEXT("\3\3\3\3");
    TEXT("\x22\0\0\0\1\0\0\0\3"); /* primitive, gap and length of 4 bytes */
    PUT(hashes, hash);
    PUT(zeros, size);
    TEXT("\4\x62\0\1"); /* long, with a hash: gap of 2 bytes, references of 4 */
    PUT(zeros, word);
    PUT(hash ? hashes : zeros, hash ? hash : 4);
    TEXT("\0\0\0\2refsrefs");
    TEXT("\6\x18\1size"); /* a class with a hash: gap of one byte, references of 2 */
    PUT(hash ? hashes : zeros, hash ? hash : 4);
    PUT(zeros, word);
    TEXT("\0\3abc\0\0\0\1re");
    TEXT("\7\x12"); /* a long primitive array in words, with a hash */
    PUT(zeros, 2 * word);
    PUT(hash ? hashes : zeros, hash ? hash : 4);
    PUT(zeros, size);
    TEXT("\x08\xf0gap8gap8"); /* an array of objects: gap and references of 8 bytes */
    PUT(zeros, word);
    PUT(hashes, hash);
    TEXT("\0\0\0\1refsrefssize");
    PUT(zeros, size);
    TEXT("\5\0\1"); /* an old one */
    PUT(zeros, word);
    PUT(hashes, hash);
    TEXT("\0\0\0\3ref");
    PUT(zeros, size);
    *p++ = 3;
#undef TEXT
#undef PUT
    return (size_t)(p - out);
}

static void portable_heap_dumps(void **state)
{
    static const struct {
        unsigned version, flags;
    } layouts[] = {{4, 0}, {4, 2}, {5, 6}, {5, 5}, {5, 7}, {6, 4}, {6, 5}, {6, 7}};
    unsigned char dump[512], packed[1024];
    struct phd p;
    size_t size;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
        size = make_phd(layouts[i].version, layouts[i].flags, dump);
        assert_cuts(CONTENT_PHD, dump, size, 0);
    }
    phd_init(&p);
    phd_feed(&p, dump, size);
    assert_string_equal(p.jvm, "JRE8");
    assert_cuts(CONTENT_PHD_GZIP, packed, gzip_make(dump, size, packed, sizeof(packed)), 0);
    dump[23] = 7; /* a version to come */
    assert_false(is_whole(CONTENT_PHD, dump, size, size));
    size = make_phd(6, 5, dump);
    dump[size - 1] = 9; /* no tag of a record */
    assert_false(is_whole(CONTENT_PHD, dump, size, size));
}

static void put_u32(unsigned char *at, size_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static void put_stream(unsigned char *entry, unsigned type, size_t size, size_t at)
{
    put_u32(entry, type);
    put_u32(entry + 4, size);
    put_u32(entry + 8, at);
}

/* Streams that name what lies behind all of them: whichever reaches furthest counts. */
static void minidumps(void **state)
{
    enum {
        THREADS = 32 + 5 * 12,
        MEMORY = THREADS + 4 + 48,
        ALL = MEMORY + 16 + 2 * 16,
        MISC = ALL + 168,
        DATA = MISC + 16
    };
    unsigned char dump[DATA + 40] = "MDMP\x93\xa7\0\0\5\0\0\0\x20";
    struct minidump m;

    (void)state;
    put_stream(dump + 32, 3, 4 + 48, THREADS);
    put_stream(dump + 44, 9, 16 + 2 * 16, MEMORY);
    put_stream(dump + 56, 6, 168, ALL);
    put_stream(dump + 68, 15, 16, MISC);
    put_stream(dump + 80, 0x4767, 4, MISC + 12); /* of some writer's own */
    put_u32(dump + THREADS, 1);
    put_u32(dump + THREADS + 4 + 32, 8);
    put_u32(dump + THREADS + 4 + 36, DATA);
    put_u32(dump + MEMORY, 2);
    put_u32(dump + MEMORY + 8, DATA + 8);
    put_u32(dump + MEMORY + 16 + 8, 20);
    put_u32(dump + MEMORY + 32 + 8, 12);
    put_u32(dump + MISC + 4, 1);
    put_u32(dump + MISC + 8, 4711);
    assert_cuts(CONTENT_MINIDUMP, dump, sizeof(dump), 0);
    minidump_init(&m);
    minidump_feed(&m, dump, sizeof(dump));
    assert_true(m.exception);
    assert_int_equal(m.pid, 4711);
    put_u32(dump + MEMORY, 1); /* one range less: the rest says nothing */
    assert_cuts(CONTENT_MINIDUMP, dump, sizeof(dump), 12);
    put_u32(dump + ALL + 160, 30); /* the exception's registers */
    put_u32(dump + ALL + 164, DATA + 10);
    assert_cuts(CONTENT_MINIDUMP, dump, sizeof(dump), 0);
}

static void texts(void **state)
{
    (void)state;
    CUTS(CONTENT_JAVACORE,
         "0SECTION       TITLE\nNULL           ---------------------- END OF DUMP "
         "-------------------------------------\n",
         1);
    CUTS(CONTENT_JAVACORE, "0SECTION       TITLE\nNULL           ----- END OF DUMP ------------------------------\n",
         0);
    CUTS(CONTENT_HS_ERR, "#\n# A fatal error\nEND.\n", 1);
    CUTS(CONTENT_HS_ERR, "#\nTime: Sun elapsed time: 5.4 seconds (0d 0h 0m 5s)\n\nmore\n\nEND.\n", 1);
    CUTS(CONTENT_HS_ERR, "#\n# JDK 8\ntime: Mon\nelapsed time: 3 seconds (0d 0h 0m 3s)\n\n", 1);
    assert_false(is_whole(CONTENT_HS_ERR, "#\nelapsed time: 3 seconds\nmore\n", 31, 4));
    CUTS(CONTENT_HEAP_SNAPSHOT, "{\"snapshot\":{\"meta\":[\"}]\",\"\\\"\"]},\"strings\":[1]}\n", 1);
    assert_true(is_whole(CONTENT_OTHER, "anything", 8, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heap_dump_in_gzip), cmocka_unit_test(recordings), cmocka_unit_test(cores),
        cmocka_unit_test(portable_heap_dumps), cmocka_unit_test(minidumps),  cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
