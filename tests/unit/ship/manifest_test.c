/* SPDX-License-Identifier: Apache-2.0
 *
 * What is written is read again, what is unknown is left out, and what is wrong is refused with the field's name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/manifest.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LEAST                                                                                                          \
    "\"schema\":\"salvage.manifest/1\",\"key\":\"a/b\",\"codec\":\"none\",\"size\":0,\"stored_size\":0,"               \
    "\"sha256\":\"" SHA_A "\",\"stored_sha256\":\"" SHA_B "\""

#define S(text) ((char *)(text))

static struct manifest_top classes = {2, {{"com.shop.Order", 3137012, 315621376}, {"byte[]", 9, 640}}};

/* Every field, each with another value; borrows its texts. */
static const struct manifest FULL = {
    .id = S("0123456789abcdef"),
    .key = S("shop/cart/heap.hprof.zst"),
    .kind = S("heap-dump"),
    .cause = S("java-oom"),
    .name = S("java_pid1.hprof"),
    .path = S("/dumps/java_pid1.hprof"),
    .codec = S("zstd:1"),
    .partial = S("ends inside a record"),
    .sensitive = S("a set-user-id program"),
    .verified = S("put"),
    .summary = S("Thread \"http-8\" ran out of memory"),
    .top = &classes,
    .tool = S("salvage 0.1.0"),
    .size = 9007199254740993, /* beyond what a double holds */
    .stored_size = 1234,
    .sha256 = SHA_A,
    .stored_sha256 = SHA_B,
    .block_size = 1048576,
    .pause = {PAUSE_PTRACE, 100393, 18903040},
    .where = {.namespace = S("shop"),
              .pod = S("cart-7f"),
              .pod_uid = S("6b1c"),
              .node = S("n1"),
              .container = S("app"),
              .image = S("shop/cart:7"),
              .host = S("cart-7f-host"),
              .owner = S("Deployment/cart"),
              .restarts = 3,
              .place = S("shop/cart-7f"),
              .container_id = S("0123abcd"),
              .image_digest = S("sha256:00"),
              .cluster = S("demo"),
              .family = S("cart"),
              .revision = S("7"),
              .task = S("8f03"),
              .launch_type = S("FARGATE"),
              .instance = S("i-0af"),
              .instance_type = S("m7g.large"),
              .region = S("eu-west-1"),
              .zone = S("eu-west-1b")},
    .process = {.pid = 4242, .uid = 1000, .jvm = S("17.0.1"), .command = S("java -jar \"a b.jar\"")},
    .origin = {.detail = S("SIGSEGV (11)"), .time = S("Sun Nov 29 06:17:17 2026"), .file = S("/w/hs_err.log")},
    .time = {.modified = 1795226165123000000,
             .found = 1795226166000000000,
             .settled = 1795226167001000000,
             .shipped = 1795226168999000000},
};

static void decode(const char *json, struct manifest *ret)
{
    struct err e;

    if (manifest_decode(json, strlen(json), ret, &e) < 0)
        fail_msg("%s", e.msg);
}

static void every_field_comes_back(void **state)
{
    CLEANUP(manifest_done) struct manifest m = {0};
    CLEANUP(buf_done) struct buf b = {0}, again = {0};

    (void)state;
    assert_int_equal(manifest_encode(&FULL, &b), 0);
    assert_int_equal(b.data[b.size - 1], '\n');
    decode(buf_text(&b), &m);
    assert_string_equal(m.id, FULL.id);
    assert_string_equal(m.key, FULL.key);
    assert_string_equal(m.kind, FULL.kind);
    assert_string_equal(m.cause, FULL.cause);
    assert_string_equal(m.name, FULL.name);
    assert_string_equal(m.path, FULL.path);
    assert_string_equal(m.codec, FULL.codec);
    assert_string_equal(m.partial, FULL.partial);
    assert_string_equal(m.verified, FULL.verified);
    assert_string_equal(m.tool, FULL.tool);
    assert_true(m.size == FULL.size);
    assert_true(m.stored_size == FULL.stored_size);
    assert_string_equal(m.sha256, FULL.sha256);
    assert_string_equal(m.stored_sha256, FULL.stored_sha256);
    assert_string_equal(m.summary, FULL.summary);
    assert_int_equal(m.top->count, classes.count);
    assert_memory_equal(m.top->row, classes.row, sizeof(classes.row));
    assert_true(m.block_size == FULL.block_size);
    assert_int_equal(m.pause.by, FULL.pause.by);
    assert_true(m.pause.us == FULL.pause.us && m.pause.consistent == FULL.pause.consistent);
    assert_string_equal(m.where.namespace, FULL.where.namespace);
    assert_string_equal(m.where.pod, FULL.where.pod);
    assert_string_equal(m.where.pod_uid, FULL.where.pod_uid);
    assert_string_equal(m.where.node, FULL.where.node);
    assert_string_equal(m.where.container, FULL.where.container);
    assert_string_equal(m.where.image, FULL.where.image);
    assert_string_equal(m.where.host, FULL.where.host);
    assert_string_equal(m.where.owner, FULL.where.owner);
    assert_int_equal(m.where.restarts, FULL.where.restarts);
    assert_string_equal(m.where.place, FULL.where.place);
    assert_string_equal(m.where.container_id, FULL.where.container_id);
    assert_string_equal(m.where.image_digest, FULL.where.image_digest);
    assert_string_equal(m.where.cluster, FULL.where.cluster);
    assert_string_equal(m.where.family, FULL.where.family);
    assert_string_equal(m.where.revision, FULL.where.revision);
    assert_string_equal(m.where.task, FULL.where.task);
    assert_string_equal(m.where.launch_type, FULL.where.launch_type);
    assert_string_equal(m.where.instance, FULL.where.instance);
    assert_string_equal(m.where.instance_type, FULL.where.instance_type);
    assert_string_equal(m.where.region, FULL.where.region);
    assert_string_equal(m.where.zone, FULL.where.zone);
    assert_true(m.process.pid == FULL.process.pid);
    assert_true(m.process.uid == FULL.process.uid);
    assert_string_equal(m.process.jvm, FULL.process.jvm);
    assert_string_equal(m.process.command, FULL.process.command);
    assert_true(m.time.modified == FULL.time.modified);
    assert_true(m.time.found == FULL.time.found);
    assert_true(m.time.settled == FULL.time.settled);
    assert_true(m.time.shipped == FULL.time.shipped);
    assert_int_equal(manifest_encode(&m, &again), 0);
    assert_string_equal(buf_text(&again), buf_text(&b));
}

/* How many values stand in the JSON, in all groups. */
static size_t count_values(const json_t *object)
{
    size_t count = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value) count += json_is_object(value) ? count_values(value) : 1;
    return count;
}

static void the_table_for_the_docs_is_what_is_written(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};
    json_auto_t *root = NULL;
    size_t count = 0;

    (void)state;
    assert_int_equal(manifest_encode(&FULL, &b), 0);
    root = json_loads(buf_text(&b), JSON_REJECT_DUPLICATES, NULL);
    for (const struct json_field *f = MANIFEST_FIELDS; f->path; f++, count++) {
        char group[32] = "";
        const char *dot = strchr(f->path, '.');
        const json_t *object = root;

        assert_true(f->type && *f->type && f->help && *f->help);
        if (dot) {
            memcpy(group, f->path, (size_t)(dot - f->path));
            object = json_object_get(root, group);
        }
        assert_non_null(json_object_get(object, dot ? dot + 1 : f->path));
    }
    assert_int_equal(count_values(root), count);
    assert_string_equal(json_string_value(json_object_get(root, "schema")), MANIFEST_SCHEMA);
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "time"), "modified")),
                        "2026-11-21T01:56:05.123Z");
}

static void what_is_unknown_is_left_out(void **state)
{
    struct manifest m = {.key = S("k"), .codec = S("none"), .kind = S(""), .sha256 = SHA_A, .stored_sha256 = SHA_B};
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    assert_int_equal(manifest_encode(&m, &b), 0);
    assert_string_equal(buf_text(&b), "{\n"
                                      "  \"schema\": \"salvage.manifest/1\",\n"
                                      "  \"key\": \"k\",\n"
                                      "  \"size\": 0,\n"
                                      "  \"sha256\": \"" SHA_A "\",\n"
                                      "  \"codec\": \"none\",\n"
                                      "  \"stored_size\": 0,\n"
                                      "  \"stored_sha256\": \"" SHA_B "\",\n"
                                      "  \"process\": {\n"
                                      "    \"uid\": 0\n"
                                      "  }\n"
                                      "}\n");
}

static void classes_are_bounded_and_cut_between_characters(void **state)
{
    static const struct {
        const char *json;
        unsigned count; /* 0: refused */
        size_t name;    /* bytes of the first one's */
    } cases[] = {
        {"[]", 0, 0},
        {"[{\"name\":\"A\",\"count\":1,\"bytes\":2,\"more\":{}}]", 1, 1},
        {"[{\"name\":\"a\",\"count\":6,\"bytes\":6},{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"d\"},"
         "{\"name\":\"e\"},{\"name\":\"f\"},{\"name\":\"g\"}]",
         SUMMARY_ROWS_MAX, 1},
        {"[{\"name\":\"" SHA_A SHA_A "\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4"
         "\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\\u00e4\"}]",
         1, 158},
    };
    static const char *const refused[] = {
        "{}", "7", "[7]", "[{}]", "[{\"name\":7}]", "[{\"name\":\"a\",\"count\":-1}]"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(manifest_done) struct manifest m = {0};
        CLEANUP_FREE char *json = NULL;

        assert_true(asprintf(&json, "{\"top\":%s," LEAST "}", cases[i].json) > 0);
        decode(json, &m);
        assert_int_equal(m.top->count, cases[i].count);
        assert_int_equal(strlen(m.top->row[0].name), cases[i].name);
    }
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        CLEANUP(manifest_done) struct manifest m = {0};
        CLEANUP_FREE char *json = NULL;
        struct err e = {0};

        assert_true(asprintf(&json, "{\"top\":%s," LEAST "}", refused[i]) > 0);
        assert_int_equal(manifest_decode(json, strlen(json), &m, &e), -FAULT_FORMAT);
        assert_non_null(strstr(e.msg, "\"top\""));
    }
}

static void a_summary_becomes_its_fields(void **state)
{
    const struct summary s = {"two deadlocks", {{"A", 1, 2}}, 1};
    CLEANUP(manifest_done) struct manifest m = {0}, none = {0};

    (void)state;
    assert_int_equal(manifest_set_summary(&m, &s), 0);
    assert_string_equal(m.summary, "two deadlocks");
    assert_true(m.top->count == 1 && m.top->row[0].bytes == 2);
    assert_int_equal(manifest_set_summary(&none, &(struct summary){0}), 0);
    assert_true(!none.summary && !none.top);
}

static void encoding_appends(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    assert_int_equal(buf_add_text(&b, "before"), 0);
    assert_int_equal(manifest_encode(&FULL, &b), 0);
    assert_memory_equal(b.data, "before{", 7);
}

static void names_that_are_not_utf8_are_mended(void **state)
{
    static const struct {
        const char *name, *expected;
    } cases[] = {
        {"caf\xe9", "caf\xef\xbf\xbd"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"a\xed\xa0\x80", "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
        {"cut\xf0\x9f\x98", "cut\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"line\nbreak\x01\x7f", "line\nbreak\x01\x7f"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct manifest m = FULL;
        CLEANUP(manifest_done) struct manifest read = {0};
        CLEANUP(buf_done) struct buf b = {0};

        m.name = S(cases[i].name);
        assert_int_equal(manifest_encode(&m, &b), 0);
        decode(buf_text(&b), &read);
        assert_string_equal(read.name, cases[i].expected);
    }
}

static void monstrous_texts_still_make_a_manifest(void **state)
{
    enum { SIZE = 100000 };
    CLEANUP_FREE char *text = malloc(SIZE + 1);
    CLEANUP(manifest_done) struct manifest read = {0};
    CLEANUP(buf_done) struct buf b = {0};
    struct manifest m = FULL;
    char **const texts[] = {&m.id,          &m.key,
                            &m.kind,        &m.cause,
                            &m.name,        &m.path,
                            &m.codec,       &m.partial,
                            &m.tool,        &m.where.namespace,
                            &m.where.pod,   &m.where.pod_uid,
                            &m.where.node,  &m.where.container,
                            &m.where.image, &m.where.host,
                            &m.process.jvm, &m.process.command};

    (void)state;
    memset(text, 1, SIZE); /* written as \u0001: the longest there is */
    text[SIZE] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        *texts[i] = text;
    assert_int_equal(manifest_encode(&m, &b), 0);
    assert_true(b.size <= MANIFEST_MAX);
    decode(buf_text(&b), &read);
    assert_int_equal(strlen(read.process.command), MANIFEST_TEXT_MAX);
}

static void a_cut_does_not_split_a_character(void **state)
{
    char text[MANIFEST_TEXT_MAX + 8];
    CLEANUP(manifest_done) struct manifest read = {0};
    CLEANUP(buf_done) struct buf b = {0};
    struct manifest m = FULL;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text + MANIFEST_TEXT_MAX - 1, "\xc3\xa9", 3);
    m.process.command = text;
    assert_int_equal(manifest_encode(&m, &b), 0);
    decode(buf_text(&b), &read);
    assert_int_equal(strlen(read.process.command), MANIFEST_TEXT_MAX - 1);
}

static void fields_not_known_are_ignored(void **state)
{
    CLEANUP(manifest_done) struct manifest m = {0};

    (void)state;
    decode("{" LEAST ",\"future\":{\"x\":[1,2]},\"where\":{\"moon\":7,\"pod\":\"p\"}}", &m);
    assert_string_equal(m.where.pod, "p");
    assert_string_equal(m.key, "a/b");
}

static void empty_texts_are_unknown(void **state)
{
    CLEANUP(manifest_done) struct manifest m = {0};

    (void)state;
    decode("{" LEAST ",\"partial\":\"\",\"where\":{}}", &m);
    assert_null(m.partial);
    assert_null(m.where.pod);
}

static void times_are_kept_to_the_millisecond(void **state)
{
    CLEANUP(manifest_done) struct manifest m = {0};

    (void)state;
    decode("{" LEAST ",\"time\":{\"found\":\"2026-11-21T01:56:05.123456Z\",\"settled\":\"2026-11-21T01:56:05Z\"}}", &m);
    assert_true(m.time.found == 1795226165123000000);
    assert_true(m.time.settled == 1795226165000000000);
}

static void a_pause_is_a_number_of_milliseconds(void **state)
{
    CLEANUP(manifest_done) struct manifest m = {0}, newer = {0};
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    assert_int_equal(manifest_encode(&FULL, &b), 0);
    assert_non_null(strstr(buf_text(&b), "\"pause_ms\": 100.393,"));
    assert_non_null(strstr(buf_text(&b), "\"pause_by\": \"ptrace\""));
    decode("{" LEAST ",\"pause_ms\":0.001,\"pause_by\":\"safepoint\"}", &m);
    assert_true(m.pause.us == 1 && m.pause.by == PAUSE_SAFEPOINT);
    decode("{" LEAST ",\"pause_ms\":7,\"pause_by\":\"a way of tomorrow\"}", &newer);
    assert_true(newer.pause.us == 7000 && newer.pause.by == PAUSE_UNKNOWN);
}

static void what_is_wrong_is_refused_by_name(void **state)
{
    static const struct {
        const char *json, *word;
    } cases[] = {
        {"", "JSON"},
        {"{", "JSON"},
        {"<html></html>", "JSON"},
        {"{" LEAST "} x", "JSON"},
        {"{" LEAST ",\"size\":0}", "JSON"}, /* twice */
        {"{" LEAST ",\"name\":\"a\\u0000b\"}", "JSON"},
        {"{" LEAST ",\"name\":\"\xff\"}", "JSON"},
        {"[]", "\"schema\""},
        {"{}", "\"schema\""},
        {"{\"schema\":1}", "schema"},
        {"{\"schema\":\"salvage.manifest/2\"}", "newer"},
        {"{\"schema\":\"salvage.manifest/1\"}", "\"key\""},
        {"{\"schema\":\"salvage.manifest/1\",\"key\":\"\"}", "\"key\""},
        {"{" LEAST ",\"name\":null}", "\"name\""},
        {"{" LEAST ",\"name\":1}", "\"name\""},
        {"{" LEAST ",\"where\":1}", "\"where."},
        {"{" LEAST ",\"where\":{\"pod\":[]}}", "\"where.pod\""},
        {"{" LEAST ",\"block_size\":-1}", "\"block_size\""},
        {"{" LEAST ",\"block_size\":1.0}", "\"block_size\""},
        {"{" LEAST ",\"block_size\":\"1\"}", "\"block_size\""},
        {"{" LEAST ",\"pause_ms\":-1}", "\"pause_ms\""},
        {"{" LEAST ",\"pause_ms\":1e300}", "\"pause_ms\""},
        {"{" LEAST ",\"pause_by\":7}", "\"pause_by\""},
        {"{" LEAST ",\"process\":{\"pid\":true}}", "\"process.pid\""},
        {"{" LEAST ",\"time\":{\"found\":7}}", "\"time.found\""},
        {"{" LEAST ",\"time\":{\"found\":\"yesterday\"}}", "\"time.found\""},
    };
    struct manifest untouched;

    (void)state;
    memset(&untouched, 0x5a, sizeof(untouched));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct manifest m = untouched;
        struct err e = {0};

        if (manifest_decode(cases[i].json, strlen(cases[i].json), &m, &e) != -FAULT_FORMAT)
            fail_msg("accepted: %s", cases[i].json);
        assert_memory_equal(&m, &untouched, sizeof(m));
        if (!strstr(e.msg, cases[i].word))
            fail_msg("%s: the message is \"%s\"", cases[i].json, e.msg);
    }
}

static void without_what_verification_needs_it_is_no_manifest(void **state)
{
    static const char *const needed[] = {"schema", "key", "codec", "size", "stored_size", "sha256", "stored_sha256"};
    static const char *const digests[] = {"", "aaaa", (SHA_A "a"), ("A" SHA_A),
                                          "gaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        json_auto_t *root = json_loads("{" LEAST "}", 0, NULL);
        CLEANUP_FREE char *text = NULL;
        CLEANUP(manifest_done) struct manifest m = {0};
        struct err e = {0};

        assert_int_equal(json_object_del(root, needed[i]), 0);
        text = json_dumps(root, 0);
        assert_int_equal(manifest_decode(text, strlen(text), &m, &e), -FAULT_FORMAT);
        assert_non_null(strstr(e.msg, needed[i]));
    }
    for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
        json_auto_t *root = json_loads("{" LEAST "}", 0, NULL);
        CLEANUP_FREE char *text = NULL;
        CLEANUP(manifest_done) struct manifest m = {0};
        struct err e = {0};

        assert_int_equal(json_object_set_new(root, "sha256", json_string(digests[i])), 0);
        text = json_dumps(root, 0);
        assert_int_equal(manifest_decode(text, strlen(text), &m, &e), -FAULT_FORMAT);
        assert_non_null(strstr(e.msg, "sha256"));
    }
}

static void a_torn_manifest_is_refused(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    assert_int_equal(manifest_encode(&FULL, &b), 0);
    for (size_t size = 0; size < b.size - 1; size++) { /* the newline is not needed */
        struct manifest m;
        struct err e;

        assert_int_equal(manifest_decode(b.data, size, &m, &e), -FAULT_FORMAT);
    }
}

static void more_than_a_mebibyte_is_refused(void **state)
{
    CLEANUP_FREE char *text = malloc(MANIFEST_MAX + 1);
    static const char least[] = "{" LEAST "}";
    CLEANUP(manifest_done) struct manifest m = {0};
    struct err e;

    (void)state;
    memset(text, ' ', MANIFEST_MAX + 1);
    memcpy(text, least, sizeof(least) - 1);
    assert_int_equal(manifest_decode(text, MANIFEST_MAX + 1, &m, &e), -FAULT_FORMAT);
    assert_int_equal(manifest_decode(text, MANIFEST_MAX, &m, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(the_table_for_the_docs_is_what_is_written),
        cmocka_unit_test(what_is_unknown_is_left_out),
        cmocka_unit_test(classes_are_bounded_and_cut_between_characters),
        cmocka_unit_test(a_summary_becomes_its_fields),
        cmocka_unit_test(encoding_appends),
        cmocka_unit_test(names_that_are_not_utf8_are_mended),
        cmocka_unit_test(monstrous_texts_still_make_a_manifest),
        cmocka_unit_test(a_cut_does_not_split_a_character),
        cmocka_unit_test(fields_not_known_are_ignored),
        cmocka_unit_test(empty_texts_are_unknown),
        cmocka_unit_test(times_are_kept_to_the_millisecond),
        cmocka_unit_test(a_pause_is_a_number_of_milliseconds),
        cmocka_unit_test(what_is_wrong_is_refused_by_name),
        cmocka_unit_test(without_what_verification_needs_it_is_no_manifest),
        cmocka_unit_test(a_torn_manifest_is_refused),
        cmocka_unit_test(more_than_a_mebibyte_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
