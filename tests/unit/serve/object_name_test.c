/* SPDX-License-Identifier: Apache-2.0
 *
 * Types and names of objects in answers: no name of a dying process becomes HTML or breaks a header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/object_name.h"

static const char *type(const char *key, const char *kind, bool decoded)
{
    struct manifest m = {.kind = (char *)kind};

    return object_name_type(&(struct object_name){key, kind ? &m : NULL, decoded});
}

static const char *disposition(const char *key, const char *name, bool decoded)
{
    static char out[OBJECT_DISPOSITION_MAX];
    struct manifest m = {.name = (char *)name};

    object_name_disposition(&(struct object_name){key, name ? &m : NULL, decoded}, out);
    return out;
}

static void types_are_text_json_or_bytes(void **state)
{
    (void)state;
    assert_string_equal(type("a/heap.hprof", NULL, false), "application/octet-stream");
    assert_string_equal(type("a/heap.hprof.zst", NULL, false), "application/zstd");
    assert_string_equal(type("a/heap.hprof.zst", NULL, true), "application/octet-stream");
    assert_string_equal(type("a/threads.txt.gz", NULL, true), "text/plain; charset=utf-8");
    assert_string_equal(type("a/threads.txt.gz", NULL, false), "application/gzip");
    assert_string_equal(type("a/oom-kill.json", NULL, false), "application/json");
    assert_string_equal(type("a/heap.hprof.zst.json", NULL, false), "application/json");
    assert_string_equal(type("a/x.html", NULL, false), "application/octet-stream");
    assert_string_equal(type("a/x.svg", NULL, true), "application/octet-stream");
    assert_string_equal(type("a/x.js", "file", true), "application/octet-stream");
    assert_string_equal(type("a/x.html", "thread-dump", false), "text/plain; charset=utf-8");
    assert_string_equal(type("a/x.json", "heap-dump", false), "application/octet-stream");
    assert_string_equal(type("a/.zst", NULL, false), "application/octet-stream");
}

static void files_are_named_as_they_were(void **state)
{
    (void)state;
    assert_string_equal(disposition("a/heap.hprof.zst", "java_pid7.hprof", false),
                        "attachment; filename=\"java_pid7.hprof.zst\"");
    assert_string_equal(disposition("a/heap.hprof.zst", "java_pid7.hprof", true),
                        "attachment; filename=\"java_pid7.hprof\"");
    assert_string_equal(disposition("a/heap.hprof.zst", NULL, true), "attachment; filename=\"heap.hprof\"");
    assert_string_equal(disposition("a/heap.hprof.gz", "mine.hprof.gz", false),
                        "attachment; filename=\"mine.hprof.gz\"");
    assert_string_equal(disposition("a/heap.hprof.gz", "mine.hprof.gz", true), "attachment; filename=\"mine.hprof\"");
    assert_string_equal(disposition("a/threads.txt", NULL, false), "inline; filename=\"threads.txt\"");
    assert_string_equal(disposition("a/k\xc3\xa4se 100%.bin", NULL, false),
                        "attachment; filename=\"k__se 100_.bin\"; filename*=UTF-8''k%C3%A4se%20100%25.bin");
}

static void hostile_names_stay_names(void **state)
{
    static const char *const NAMES[] = {"../../etc/passwd",
                                        "a\r\nSet-Cookie: x=1",
                                        "\"; filename=\"x.exe",
                                        "\xe2\x80\x8bx.exe",
                                        "..",
                                        ".bashrc",
                                        "-rf",
                                        "a\\b",
                                        "<script>alert(1)</script>",
                                        "\xff\xfe",
                                        "/",
                                        ""};
    char name[OBJECT_NAME_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
        struct manifest m = {.name = (char *)NAMES[i]};
        const char *header = disposition("a/heap.hprof.zst", NAMES[i], true);
        const char *quote = strchr(header, '"');

        object_name_file(&(struct object_name){"a/heap.hprof.zst", &m, true}, name);
        assert_true(*name && *name != '.' && *name != '-' && !strpbrk(name, "/\\\"\r\n"));
        assert_non_null(quote);
        quote = strchr(quote + 1, '"');
        assert_true(quote && (quote[1] == '\0' || text_starts(quote, "\"; filename*=UTF-8''")) &&
                    !strchr(quote + 1, '"'));
    }
}

static void long_names_are_cut(void **state)
{
    char key[300], name[OBJECT_NAME_MAX], header[OBJECT_DISPOSITION_MAX], long_name[3000];
    struct manifest m = {.name = long_name};

    (void)state;
    memset(key, 'a', sizeof(key) - 1);
    memcpy(key + sizeof(key) - 5, ".zst", 5);
    for (size_t i = 0; i + 2 < sizeof(long_name); i += 2)
        memcpy(long_name + i, "\xc3\xa4", 3);
    object_name_file(&(struct object_name){key, &m, false}, name);
    assert_true(strlen(name) < OBJECT_NAME_MAX && text_ends(name, ".zst"));
    object_name_disposition(&(struct object_name){key, &m, false}, header);
    assert_true(strlen(header) < OBJECT_DISPOSITION_MAX);
}

static void oom_records_are_known_by_their_keys(void **state)
{
    (void)state;
    assert_true(object_name_is_record("a/b/oom-kill.json"));
    assert_true(object_name_is_record("a/b/oom-kill-7.json.zst"));
    assert_false(object_name_is_record("a/oom-kill.json/heap.hprof"));
    assert_false(object_name_is_record("a/oom-kill.json.hprof"));
    assert_false(object_name_is_record("a/my-oom-kill.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_text_json_or_bytes),
        cmocka_unit_test(files_are_named_as_they_were),
        cmocka_unit_test(hostile_names_stay_names),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(oom_records_are_known_by_their_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
