/* SPDX-License-Identifier: Apache-2.0
 *
 * Flight recordings that are written here, number by number: what is read from them, and what is made of damaged ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/mem.h"
#include "jfr/jfr_chunk.h"
#include "jfr/jfr_recording.h"

enum { STRING = 1, LONG, FLOAT, SYMBOL, CLASS, CAUSE, OLD_OBJECT, JVM, COLLECTION, OLD_SAMPLE, ALLOCATED, ERROR, LOAD };
#define START_NS 1700000000000000000ull

/* --- a writer ------------------------------------------------------------------------------------------------------
 */

struct writer {
    struct buf out;
    bool plain; /* numbers are not compressed */
};

static void put(struct writer *w, const void *data, size_t size)
{
    assert_int_equal(buf_add(&w->out, data, size), 0);
}

static void put_fixed(struct writer *w, uint64_t v, unsigned width)
{
    while (width-- > 0) {
        unsigned char byte = (unsigned char)(v >> (8 * width));

        put(w, &byte, 1);
    }
}

static void put_number(struct writer *w, uint64_t v, unsigned width)
{
    if (w->plain) {
        put_fixed(w, v, width);
        return;
    }
    for (unsigned i = 0; i < 8 && v >= 0x80; i++, v >>= 7)
        put_fixed(w, (v & 0x7F) | 0x80, 1);
    put_fixed(w, v, 1);
}

/* As the JDK writes texts of types: characters. */
static void put_text(struct writer *w, const char *text)
{
    put_fixed(w, JFR_CHARS, 1);
    put_number(w, strlen(text), 4);
    for (; *text; text++)
        put_number(w, (unsigned char)*text, 2);
}

static void put_event(struct writer *w, unsigned type, const struct writer *body)
{
    struct writer head = {.plain = w->plain};

    put_number(&head, type, 8);
    put_number(w, (w->plain ? 4 : 2) + head.out.size + body->out.size, 4);
    if (!w->plain && head.out.size + body->out.size + 2 < 0x80) { /* always two bytes: the JVM pads, too */
        w->out.data[w->out.size - 1] |= (char)0x80;
        put_fixed(w, 0, 1);
    }
    put(w, head.out.data, head.out.size);
    put(w, body->out.data, body->out.size);
    buf_done(&head.out);
}

static const char *const TEXTS[] = {"root",
                                    "metadata",
                                    "class",
                                    "field",
                                    "id",
                                    "name",
                                    "constantPool",
                                    "true",
                                    "1",
                                    "2",
                                    "3",
                                    "4",
                                    "5",
                                    "6",
                                    "7",
                                    "8",
                                    "9",
                                    "10",
                                    "11",
                                    "12",
                                    "13",
                                    "java.lang.String",
                                    "long",
                                    "float",
                                    "jdk.types.Symbol",
                                    "java.lang.Class",
                                    "jdk.types.GCCause",
                                    "jdk.types.OldObject",
                                    "jdk.JVMInformation",
                                    "jdk.GarbageCollection",
                                    "jdk.OldObjectSample",
                                    "jdk.ObjectAllocationSample",
                                    "jdk.JavaErrorThrow",
                                    "jdk.CPULoad",
                                    "string",
                                    "cause",
                                    "type",
                                    "startTime",
                                    "jvmName",
                                    "javaArguments",
                                    "pid",
                                    "sumOfPauses",
                                    "longestPause",
                                    "object",
                                    "objectClass",
                                    "weight",
                                    "thrownClass",
                                    "jvmUser",
                                    "jvmSystem",
                                    "machineTotal"};

static void put_word(struct writer *w, const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
        if (strcmp(TEXTS[i], word) == 0) {
            put_number(w, i, 4);
            return;
        }
    fail_msg("no text \"%s\"", word);
}

static void put_id(struct writer *w, unsigned id)
{
    char digits[12];

    snprintf(digits, sizeof(digits), "%u", id);
    put_word(w, digits);
}

struct field {
    const char *name;
    unsigned class; /* 0: no more */
    bool constant;
};

static const struct type {
    const char *name;
    unsigned id;
    struct field fields[5];
} TYPES[] = {
    {"java.lang.String", STRING, {{0}}},
    {"long", LONG, {{0}}},
    {"float", FLOAT, {{0}}},
    {"jdk.types.Symbol", SYMBOL, {{"string", STRING, false}}},
    {"java.lang.Class", CLASS, {{"name", SYMBOL, true}}},
    {"jdk.types.GCCause", CAUSE, {{"cause", STRING, false}}},
    {"jdk.types.OldObject", OLD_OBJECT, {{"id", LONG, false}, {"type", CLASS, true}}},
    {"jdk.JVMInformation",
     JVM,
     {{"startTime", LONG, false}, {"jvmName", STRING, false}, {"javaArguments", STRING, false}, {"pid", LONG, false}}},
    {"jdk.GarbageCollection",
     COLLECTION,
     {{"startTime", LONG, false}, {"cause", CAUSE, true}, {"sumOfPauses", LONG, false}, {"longestPause", LONG, false}}},
    {"jdk.OldObjectSample", OLD_SAMPLE, {{"startTime", LONG, false}, {"object", OLD_OBJECT, true}}},
    {"jdk.ObjectAllocationSample",
     ALLOCATED,
     {{"startTime", LONG, false}, {"objectClass", CLASS, true}, {"weight", LONG, false}}},
    {"jdk.JavaErrorThrow", ERROR, {{"startTime", LONG, false}, {"thrownClass", CLASS, true}}},
    {"jdk.CPULoad",
     LOAD,
     {{"startTime", LONG, false},
      {"jvmUser", FLOAT, false},
      {"jvmSystem", FLOAT, false},
      {"machineTotal", FLOAT, false}}},
};

static void put_field(struct writer *w, const struct field *f)
{
    put_word(w, "field");
    put_number(w, f->constant ? 3 : 2, 4);
    put_word(w, "name");
    put_word(w, f->name);
    put_word(w, "class");
    put_id(w, f->class);
    if (f->constant) {
        put_word(w, "constantPool");
        put_word(w, "true");
    }
    put_number(w, 0, 4);
}

static void put_types(struct writer *w)
{
    struct writer body = {.plain = w->plain};

    for (unsigned i = 0; i < 3; i++)
        put_number(&body, 0, 8);
    put_number(&body, ARRAY_SIZE(TEXTS), 4);
    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
        put_text(&body, TEXTS[i]);
    put_word(&body, "root");
    put_number(&body, 0, 4);
    put_number(&body, 1, 4);
    put_word(&body, "metadata");
    put_number(&body, 0, 4);
    put_number(&body, ARRAY_SIZE(TYPES), 4);
    for (size_t i = 0; i < ARRAY_SIZE(TYPES); i++) {
        unsigned count = 0;

        while (TYPES[i].fields[count].class)
            count++;
        put_word(&body, "class");
        put_number(&body, 2, 4);
        put_word(&body, "id");
        put_id(&body, TYPES[i].id);
        put_word(&body, "name");
        put_word(&body, TYPES[i].name);
        put_number(&body, count, 4);
        for (unsigned k = 0; k < count; k++)
            put_field(&body, &TYPES[i].fields[k]);
    }
    put_event(w, 0, &body);
    buf_done(&body.out);
}

static void put_utf8(struct writer *w, const char *text)
{
    put_fixed(w, JFR_UTF8, 1);
    put_number(w, strlen(text), 4);
    put(w, text, strlen(text));
}

static void begin_pool(struct writer *w, unsigned class, unsigned count)
{
    put_number(w, class, 8);
    put_number(w, count, 4);
}

static const char *const SYMBOLS[] = {"com/shop/Order", "[B", "java/lang/InternalError"};

static void put_constants(struct writer *w)
{
    struct writer body = {.plain = w->plain};

    for (unsigned i = 0; i < 3; i++)
        put_number(&body, 0, 8);
    put_fixed(&body, 0, 1);
    put_number(&body, 4, 4);
    begin_pool(&body, SYMBOL, 3);
    for (unsigned i = 0; i < 3; i++) {
        put_number(&body, 100 + i, 8);
        put_utf8(&body, SYMBOLS[i]);
    }
    begin_pool(&body, CLASS, 3);
    for (unsigned i = 0; i < 3; i++) {
        put_number(&body, 200 + i, 8);
        put_number(&body, 100 + i, 8);
    }
    begin_pool(&body, CAUSE, 1);
    put_number(&body, 7, 8);
    put_utf8(&body, "G1 Evacuation Pause");
    begin_pool(&body, OLD_OBJECT, 2);
    for (unsigned i = 0; i < 2; i++) {
        put_number(&body, 1 + i, 8);
        put_number(&body, 0, 8);
        put_number(&body, 200 + i, 8);
    }
    put_event(w, 1, &body);
    buf_done(&body.out);
}

/* An event of numbers alone. */
static void put_numbers(struct writer *w, unsigned type, const uint64_t *numbers, unsigned count)
{
    struct writer body = {.plain = w->plain};

    for (unsigned i = 0; i < count; i++)
        put_number(&body, numbers[i], 8);
    put_event(w, type, &body);
    buf_done(&body.out);
}

static void put_jvm(struct writer *w)
{
    struct writer body = {.plain = w->plain};

    put_number(&body, 1000, 8);
    put_utf8(&body, "OpenJDK 64-Bit Server VM");
    put_fixed(&body, JFR_LATIN1, 1);
    put_number(&body, 4, 4);
    put(&body, "caf\xe9", 4);
    put_number(&body, 4711, 8);
    put_event(w, JVM, &body);
    buf_done(&body.out);
}

static void put_load(struct writer *w, uint32_t user, uint32_t machine)
{
    struct writer body = {.plain = w->plain};

    put_number(&body, 1000, 8);
    put_fixed(&body, user, 4);
    put_fixed(&body, 0, 4);
    put_fixed(&body, machine, 4);
    put_event(w, LOAD, &body);
    buf_done(&body.out);
}

enum shape { WHOLE, PLAIN, UNFINISHED, UNFINISHED_WITHOUT_TYPES };

/* A thousand ticks are a second; it lasts for 90 seconds. */
static void put_chunk(struct buf *file, enum shape shape)
{
    struct writer w = {.plain = shape == PLAIN};
    bool finished = shape == WHOLE || shape == PLAIN;
    size_t from = file->size;

    put(&w, "FLR\0\0\2\0\1", 8);
    for (unsigned i = 0; i < 3; i++)
        put_fixed(&w, 0, 8);
    put_fixed(&w, START_NS, 8);
    put_fixed(&w, finished ? 90ull * 1000 * 1000 * 1000 : 0, 8);
    put_fixed(&w, 1000, 8);
    put_fixed(&w, 1000, 8);
    put_fixed(&w, shape == PLAIN ? 0 : 1, 4);
    put_jvm(&w);
    put_numbers(&w, COLLECTION, (uint64_t[]){2000, 7, 250, 200}, 4);
    put_numbers(&w, COLLECTION, (uint64_t[]){31000, 7, 1500, 1000}, 4);
    put_numbers(&w, 99, (uint64_t[]){1, 2, 3}, 3); /* of a type that is not in the chunk */
    for (unsigned i = 0; i < 3; i++)
        put_numbers(&w, OLD_SAMPLE, (uint64_t[]){3000, i < 2 ? 1 : 2}, 2);
    put_numbers(&w, ALLOCATED, (uint64_t[]){3000, 201, 4096}, 3);
    put_numbers(&w, ERROR, (uint64_t[]){4000, 202}, 2);
    put_load(&w, 0x3F000000, 0x3F400000); /* 0.5, 0.75 */
    put_load(&w, 0x7FC00000, 0x3F800000); /* NaN, 1 */
    put_constants(&w);
    if (shape != UNFINISHED_WITHOUT_TYPES)
        put_types(&w);
    assert_int_equal(buf_add(file, w.out.data, w.out.size), 0);
    for (unsigned i = 0; finished && i < 8; i++)
        file->data[from + 8 + i] = (char)(w.out.size >> (56 - 8 * i));
    buf_done(&w.out);
}

/* --- tests --- */

static void read_file(const struct buf *file, struct jfr_recording *r)
{
    struct err e = {0};

    assert_int_equal(jfr_recording_read(file->data, file->size, r, &e), 0);
}

static void assert_one_chunk(const struct jfr_recording *r)
{
    assert_int_equal(r->start_ns, START_NS);
    assert_string_equal(r->jvm, "OpenJDK 64-Bit Server VM");
    assert_string_equal(r->command, "caf\xc3\xa9");
    assert_int_equal(r->pid, 4711);
    assert_int_equal(r->events, 11);
    assert_int_equal(r->collections, 2);
    assert_int_equal(r->pause_ns, 1750 * 1000000ull);
    assert_int_equal(r->longest_ns, 1000 * 1000000ull);
    assert_int_equal(r->longest_at_ns, START_NS + 30 * 1000000000ull);
    assert_int_equal(r->causes.count, 1);
    assert_string_equal(r->causes.row[0].name, "G1 Evacuation Pause");
    assert_int_equal(r->old_objects.total, 3);
    assert_string_equal(r->old_objects.row[0].name, "com.shop.Order");
    assert_int_equal(r->old_objects.row[0].count, 2);
    assert_string_equal(r->old_objects.row[1].name, "byte[]");
    assert_string_equal(r->allocated.row[0].name, "byte[]");
    assert_int_equal(r->allocated.weight, 4096);
    assert_string_equal(r->errors.row[0].name, "java.lang.InternalError");
    assert_int_equal(r->loads, 2);
    assert_true(r->jvm_load.most == 0.5 && r->jvm_load.sum == 0.5); /* not a number: 0 */
    assert_true(r->machine_load.most == 1.0);
}

static void a_chunk_is_read_with_numbers_of_either_kind(void **state)
{
    (void)state;
    for (enum shape shape = WHOLE; shape <= PLAIN; shape++) {
        CLEANUP(buf_done) struct buf file = {0};
        struct jfr_recording r;

        put_chunk(&file, shape);
        read_file(&file, &r);
        assert_null(r.cut);
        assert_int_equal(r.end_ns, START_NS + 90ull * 1000000000);
        assert_one_chunk(&r);
        jfr_recording_done(&r);
    }
}

static void several_chunks_are_one_recording(void **state)
{
    CLEANUP(buf_done) struct buf file = {0};
    struct jfr_recording r;

    (void)state;
    put_chunk(&file, WHOLE);
    put_chunk(&file, PLAIN);
    read_file(&file, &r);
    assert_null(r.cut);
    assert_int_equal(r.chunks, 2);
    assert_int_equal(r.collections, 4);
    assert_int_equal(r.old_objects.total, 6);
    assert_int_equal(r.old_objects.count, 2);
    jfr_recording_done(&r);
}

/* The JVM died: the last chunk's header has no size, and events say when the last one was. */
static void a_chunk_that_the_jvm_did_not_finish_gives_its_events(void **state)
{
    CLEANUP(buf_done) struct buf file = {0};
    struct jfr_recording r;

    (void)state;
    put_chunk(&file, UNFINISHED);
    read_file(&file, &r);
    assert_string_equal(r.cut, "the JVM did not finish it");
    assert_int_equal(r.end_ns, START_NS + 30ull * 1000000000);
    assert_one_chunk(&r);
    jfr_recording_done(&r);
}

static void a_chunk_without_types_is_read_with_those_of_the_one_before(void **state)
{
    CLEANUP(buf_done) struct buf file = {0}, alone = {0};
    struct jfr_recording r;

    (void)state;
    put_chunk(&file, WHOLE);
    put_chunk(&file, UNFINISHED_WITHOUT_TYPES);
    read_file(&file, &r);
    assert_int_equal(r.collections, 4);
    assert_int_equal(r.old_objects.row[0].count, 4);
    jfr_recording_done(&r);
    put_chunk(&alone, UNFINISHED_WITHOUT_TYPES);
    read_file(&alone, &r);
    assert_int_equal(r.events, 11);
    assert_int_equal(r.collections, 0);
    assert_non_null(r.cut);
    jfr_recording_done(&r);
    buf_done(&alone);
}

static void a_file_cut_anywhere_gives_what_there_is(void **state)
{
    CLEANUP(buf_done) struct buf file = {0};
    size_t first;

    (void)state;
    put_chunk(&file, WHOLE);
    first = file.size;
    put_chunk(&file, WHOLE);
    for (size_t size = first; size < file.size; size++) {
        CLEANUP_FREE char *copy = malloc(size); /* so that a read beyond its end is found */
        struct jfr_recording r;
        struct err e;

        assert_non_null(copy);
        memcpy(copy, file.data, size);
        assert_int_equal(jfr_recording_read(copy, size, &r, &e), 0);
        assert_true((r.cut == NULL) == (size == first));
        assert_true(r.collections >= 2 && r.collections <= 4);
        jfr_recording_done(&r);
    }
}

static void what_is_no_recording_is_refused(void **state)
{
    CLEANUP(buf_done) struct buf file = {0};
    struct jfr_recording r;
    struct summary s;
    struct err e = {0};

    (void)state;
    put_chunk(&file, WHOLE);
    assert_int_equal(jfr_recording_read(file.data, 67, &r, &e), -FAULT_FORMAT);
    assert_int_equal(jfr_recording_read("", 0, &r, &e), -FAULT_FORMAT);
    file.data[5] = 0; /* format 0.x */
    assert_int_equal(jfr_recording_read(file.data, file.size, &r, &e), -FAULT_FORMAT);
    assert_non_null(strstr(e.msg, "JDK 7 or 8"));
    assert_int_equal(jfr_summary(file.data, file.size, &s), -EBADMSG);
}

static void the_sentence_says_pauses_and_old_objects(void **state)
{
    CLEANUP(buf_done) struct buf file = {0};
    struct summary s;

    (void)state;
    put_chunk(&file, WHOLE);
    assert_int_equal(jfr_summary(file.data, file.size, &s), 0);
    assert_string_equal(s.sentence, "flight recording of 1:30: 2 GC pauses, 1.8 s in all, longest 1.0 s; old objects "
                                    "sampled: com.shop.Order (2), byte[] (1); OpenJDK 64-Bit Server VM");
}

static void names_beyond_the_ceiling_are_in_the_sum_only(void **state)
{
    struct jfr_counts c = {0};
    char name[32];

    (void)state;
    for (unsigned i = 0; i < JFR_NAMES_MAX + 10; i++) {
        snprintf(name, sizeof(name), "class%u", i);
        assert_int_equal(jfr_counts_add(&c, name, i), 0);
    }
    assert_int_equal(jfr_counts_add(&c, "class5", 1000000), 0);
    jfr_counts_sort(&c);
    assert_int_equal(c.count, JFR_NAMES_MAX);
    assert_int_equal(c.total, JFR_NAMES_MAX + 11);
    assert_string_equal(c.row[0].name, "class5");
    assert_int_equal(c.row[0].count, 2);
    jfr_counts_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chunk_is_read_with_numbers_of_either_kind),
        cmocka_unit_test(several_chunks_are_one_recording),
        cmocka_unit_test(a_chunk_that_the_jvm_did_not_finish_gives_its_events),
        cmocka_unit_test(a_chunk_without_types_is_read_with_those_of_the_one_before),
        cmocka_unit_test(a_file_cut_anywhere_gives_what_there_is),
        cmocka_unit_test(what_is_no_recording_is_refused),
        cmocka_unit_test(the_sentence_says_pauses_and_old_objects),
        cmocka_unit_test(names_beyond_the_ceiling_are_in_the_sum_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
