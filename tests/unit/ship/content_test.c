/* SPDX-License-Identifier: Apache-2.0
 *
 * First bytes of each format, and of what looks like it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "gzip_make.h"
#include "ship/content.h"

static void assert_content(const void *head, size_t size, enum content content)
{
    assert_int_equal(content_of(head, size), content);
}

#define IS(text, content) assert_content(text, sizeof(text) - 1, content)

static void heap_dumps(void **state)
{
    (void)state;
    IS("JAVA PROFILE 1.0.1\0\0\0\0\4", CONTENT_HPROF);
    IS("JAVA PROFILE 1.0.2\0", CONTENT_HPROF);
    IS("JAVA PROFILE 1.0.3\0", CONTENT_HPROF); /* Android */
    IS("JAVA PROFILE 1.0.4\0", CONTENT_OTHER);
    IS("JAVA PROFILE 1.0.2 is a format", CONTENT_OTHER);
    IS("JAVA PROF", CONTENT_OTHER);
    IS("", CONTENT_OTHER);
    IS("\0\x12portable heap dump\0\0\0\6", CONTENT_PHD);
    IS("portable heap dump", CONTENT_OTHER);
    IS("{\"snapshot\":{\"meta\":{", CONTENT_HEAP_SNAPSHOT);
    IS("{ \"snapshot\" :\n {\"meta\" : {", CONTENT_HEAP_SNAPSHOT);
    IS("{\"snapshot\":{}}", CONTENT_OTHER);
}

static void what_is_in_gzip(void **state)
{
    static const char dump[] = "JAVA PROFILE 1.0.2\0\0\0\0\x08rest", phd[] = "\0\x12portable heap dump\0\0\0\6",
                      text[] = "a log that was rotated away";
    unsigned char out[256];
    size_t size;

    (void)state;
    size = gzip_make(dump, sizeof(dump), out, sizeof(out));
    assert_content(out, size, CONTENT_HPROF_GZIP);
    assert_content(out, 11, CONTENT_OTHER); /* cut in front of what could tell */
    size = gzip_make(phd, sizeof(phd), out, sizeof(out));
    assert_content(out, size, CONTENT_PHD_GZIP);
    size = gzip_make(text, sizeof(text), out, sizeof(out));
    assert_content(out, size, CONTENT_OTHER);
    IS("\x1f\x8b\x08nonsense", CONTENT_OTHER);
}

static void cores(void **state)
{
    (void)state;
    IS("\x7f"
       "ELF\2\1\1\0\0\0\0\0\0\0\0\0\4\0\x3e\0",
       CONTENT_CORE);
    IS("\x7f"
       "ELF\1\1\1\0\0\0\0\0\0\0\0\0\4\0\3\0",
       CONTENT_CORE);
    IS("\x7f"
       "ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\4\0\x16",
       CONTENT_CORE); /* s390x */
    IS("\x7f"
       "ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0\x3e\0",
       CONTENT_OTHER); /* a library */
    IS("\x7f"
       "ELF\2\2\1\0\0\0\0\0\0\0\0\0\4\0\0\x16",
       CONTENT_OTHER); /* in the other byte order */
    IS("\x7f"
       "ELF\2\1\1\0\0\0\0\0\0\0\0\0\4",
       CONTENT_OTHER);
    IS("MDMP\x93\xa7\0\0", CONTENT_MINIDUMP);
    IS("MDMP is short for minidump", CONTENT_OTHER);
}

static void a_record_of_a_crash(void **state)
{
    (void)state;
    IS(CONTENT_CRASH_BEGINS "1\"", CONTENT_CRASH);
    IS("{\n  \"schema\": \"salvage.cras", CONTENT_OTHER);
}

static void recordings(void **state)
{
    unsigned char chunk[68] = "FLR\0\0\2\0\1\0\0\0\0\0\0\1";

    (void)state;
    assert_content(chunk, sizeof(chunk), CONTENT_RECORDING);
    assert_content(chunk, sizeof(chunk) - 1, CONTENT_RECORDING_BEGUN);
    chunk[64] = 1; /* flushed, and not ended */
    assert_content(chunk, sizeof(chunk), CONTENT_RECORDING_BEGUN);
    chunk[64] = 0xff; /* being written just now */
    assert_content(chunk, sizeof(chunk), CONTENT_RECORDING_BEGUN);
    chunk[64] = 0;
    chunk[14] = 0;
    assert_content(chunk, sizeof(chunk), CONTENT_RECORDING_BEGUN);
    IS("FLR of something else", CONTENT_OTHER);
}

static void texts(void **state)
{
    (void)state;
    IS("0SECTION       TITLE subcomponent dump routine\nNULL           ====\n", CONTENT_JAVACORE);
    IS("NULL           ----\n0SECTION       TITLE subcomponent dump routine\n", CONTENT_JAVACORE);
    IS("NULL           ----\n0SECTION       GPINFO subcomponent dump routine\n", CONTENT_OTHER);
    IS("a mail about 0SECTION       TITLE subcomponent dump routine\n", CONTENT_OTHER);
    IS("#\n# A fatal error has been detected by the Java Runtime Environment:\n#\n", CONTENT_HS_ERR);
    IS("#\r\n# A fatal error has been detected by the Java Runtime Environment:\r\n", CONTENT_HS_ERR);
    IS("#\n# There is insufficient memory for the Java Runtime Environment to continue.\n", CONTENT_HS_ERR);
    IS("#\n# An unexpected error has been detected by Java Runtime Environment:\n", CONTENT_HS_ERR);
    IS("# A fatal mistake\n", CONTENT_OTHER);
    IS("it said:\n# A fatal error has been detected by the Java Runtime Environment:\n", CONTENT_OTHER);
    IS("2026-11-29 06:00:00\nFull thread dump OpenJDK 64-Bit Server VM\n", CONTENT_THREAD_DUMP);
    IS("Full thread dump OpenJDK 64-Bit Server VM\n", CONTENT_THREAD_DUMP);
    IS("starting\nFull thread dump OpenJDK\n", CONTENT_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_dumps),          cmocka_unit_test(what_is_in_gzip), cmocka_unit_test(cores),
        cmocka_unit_test(a_record_of_a_crash), cmocka_unit_test(recordings),      cmocka_unit_test(texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
