/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of evidence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ship/kind.h"

static void names_have_kinds(void **state)
{
    static const struct {
        const char *name, *kind, *cause;
    } table[] = {
        {"java_pid1.hprof", "heap-dump", "java-oom"},
        {"a.hprof", "heap-dump", "unknown"},
        {"a.hprof.gz", "heap-dump", "unknown"},
        {"heapdump.1.phd.gz", "heap-dump", "unknown"},
        {"core", "core", "signal"},
        {"core.1234", "core", "signal"},
        {"hs_err_pid77.log", "hs-err", "unknown"},
        {"javacore.2026.txt", "javacore", "unknown"},
        {"x.jfr", "flight-recording", "manual"},
        {"x.heapsnapshot", "heap-snapshot", "unknown"},
        {"jvm-end-7-20261129T140947Z.json", "jvm-end", "unknown"},
        {"near-limit-7-20261129T140947Z-threads.txt", "thread-dump", "pressure"},
        {"near-limit-7-20261129T140947Z-histogram.txt", "class-histogram", "pressure"},
        {"threads.txt", "thread-dump", "manual"},
        {"notes.txt", "file", "manual"},
        {"score", "file", "manual"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        assert_string_equal(kind_of_name(table[i].name)->name, table[i].kind);
        assert_string_equal(kind_cause(kind_of_name(table[i].name), table[i].name), table[i].cause);
    }
}

static void segments_of_newer_jdks_are_told_apart(void **state)
{
    (void)state;
    assert_true(kind_is_segment("app.hprof.p0"));
    assert_true(kind_is_segment("app.hprof.p12"));
    assert_false(kind_is_segment("app.hprof"));
    assert_false(kind_is_segment("app.hprof.p"));
    assert_false(kind_is_segment("app.hprof.p1x"));
    assert_false(kind_is_segment("app.phd"));
    assert_false(kind_is_segment(".p1"));
}

static void written_down_kinds_are_found_again(void **state)
{
    (void)state;
    assert_string_equal(kind_find("heap-dump", NULL, "a.phd")->file, "heap.phd");
    assert_string_equal(kind_find("core", NULL, "evidence")->name, "core");
    assert_string_equal(kind_find("nonsense", NULL, "evidence")->name, "file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_kinds),
        cmocka_unit_test(segments_of_newer_jdks_are_told_apart),
        cmocka_unit_test(written_down_kinds_are_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
