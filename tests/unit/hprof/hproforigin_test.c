/* SPDX-License-Identifier: Apache-2.0
 *
 * The beginnings of heap dumps: HotSpot's at an OutOfMemoryError, one that was asked for, and others'.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hprof/hproforigin.h"

enum { INIT = 1, SIGNATURE, ERROR, OTHER, MODERN, RUN };

struct dump {
    unsigned char data[2048];
    size_t size;
    unsigned id_size;
};

static void number(struct dump *d, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        d->data[d->size++] = (unsigned char)(value >> 8 * (size - 1 - i));
}

static void record(struct dump *d, unsigned tag, size_t length)
{
    number(d, tag, 1);
    number(d, 0, 4);
    number(d, length, 4);
}

static void text(struct dump *d, uint64_t id, const char *words)
{
    record(d, 1, d->id_size + strlen(words));
    number(d, id, d->id_size);
    memcpy(d->data + d->size, words, strlen(words));
    d->size += strlen(words);
}

static void class(struct dump *d, uint32_t serial, uint64_t name)
{
    record(d, 2, 8 + 2 * d->id_size);
    number(d, serial, 4);
    number(d, 99, d->id_size);
    number(d, 0, 4);
    number(d, name, d->id_size);
}

static void frame(struct dump *d, uint64_t id, uint64_t method, uint64_t signature, uint32_t class)
{
    record(d, 4, 8 + 4 * d->id_size);
    number(d, id, d->id_size);
    number(d, method, d->id_size);
    number(d, signature, d->id_size);
    number(d, 0, d->id_size);
    number(d, class, 4);
    number(d, 48, 4);
}

static void trace(struct dump *d, uint64_t first, uint64_t second)
{
    unsigned count = !first ? 0 : second ? 2 : 1;

    record(d, 5, 12 + count * d->id_size);
    number(d, 1, 4);
    number(d, 1, 4);
    number(d, count, 4);
    if (first)
        number(d, first, d->id_size);
    if (second)
        number(d, second, d->id_size);
}

/* Names and classes, as HotSpot writes them; without some of the names, as others do. */
static void begin(struct dump *d, unsigned id_size, bool modern, const char *signature)
{
    *d = (struct dump){.id_size = id_size};
    memcpy(d->data, "JAVA PROFILE 1.0.2", 19);
    d->size = 19;
    number(d, id_size, 4);
    number(d, 0, 8);
    text(d, RUN, "run");
    text(d, INIT, "<init>");
    text(d, OTHER, "java/lang/OutOfMemoryErrors and a name that is longer than all that matter");
    text(d, SIGNATURE, signature);
    text(d, ERROR, "java/lang/OutOfMemoryError");
    if (modern)
        text(d, MODERN, "java/lang/invoke/MethodHandle");
    class(d, 6, OTHER);
    class(d, 7, ERROR);
    trace(d, 0, 0);
}

static enum hproforigin_answer answer_of(const struct dump *d, size_t size, size_t piece)
{
    struct hproforigin h;

    hproforigin_init(&h);
    for (size_t at = 0; at < size; at += piece)
        hproforigin_feed(&h, d->data + at, size - at < piece ? size - at : piece);
    return h.answer;
}

static void assert_answer(const struct dump *d, enum hproforigin_answer answer)
{
    assert_int_equal(answer_of(d, d->size, d->size), answer);
    assert_int_equal(answer_of(d, d->size, 1), answer);
}

static void at_an_error(void **state)
{
    struct dump d;

    (void)state;
    for (unsigned id_size = 4; id_size <= 8; id_size += 4) {
        begin(&d, id_size, true, "()V");
        frame(&d, 10, RUN, SIGNATURE, 6);
        trace(&d, 10, 0);
        frame(&d, 11, INIT, SIGNATURE, 7);
        frame(&d, 12, RUN, SIGNATURE, 6);
        assert_answer(&d, HPROFORIGIN_UNDECIDED);
        trace(&d, 11, 12);
        assert_answer(&d, HPROFORIGIN_OOM);
        assert_int_equal(answer_of(&d, d.size - id_size - 1, 5), HPROFORIGIN_UNDECIDED);
        record(&d, 0x1c, 0); /* what comes behind it says nothing any more */
        assert_answer(&d, HPROFORIGIN_OOM);
    }
}

static void asked_for(void **state)
{
    struct dump d;

    (void)state;
    begin(&d, 8, true, "()V");
    frame(&d, 10, INIT, SIGNATURE, 6); /* another class */
    frame(&d, 11, RUN, SIGNATURE, 7);  /* another method */
    frame(&d, 12, INIT, RUN, 7);       /* another constructor */
    trace(&d, 10, 11);
    trace(&d, 12, 0);
    assert_answer(&d, HPROFORIGIN_UNDECIDED);
    record(&d, 0x1c, 1000);
    assert_answer(&d, HPROFORIGIN_REQUESTED);
    begin(&d, 8, true, "()V");
    frame(&d, 10, INIT, SIGNATURE, 7); /* deep in a stack: the application makes one itself */
    trace(&d, 99, 10);
    record(&d, 0x0c, 1000);
    assert_answer(&d, HPROFORIGIN_REQUESTED);
}

static void others_do_not_say(void **state)
{
    struct dump d;

    (void)state;
    begin(&d, 8, false, "()V"); /* before JDK 7 */
    frame(&d, 10, RUN, SIGNATURE, 6);
    trace(&d, 10, 0);
    record(&d, 0x1c, 0);
    assert_answer(&d, HPROFORIGIN_UNKNOWN);
    begin(&d, 8, true, "()V"); /* no threads */
    record(&d, 0x2c, 0);
    assert_answer(&d, HPROFORIGIN_UNKNOWN);
    begin(&d, 8, true, ""); /* not HotSpot */
    frame(&d, 10, INIT, SIGNATURE, 7);
    trace(&d, 10, 0);
    record(&d, 0x1c, 0);
    assert_answer(&d, HPROFORIGIN_UNKNOWN);
    begin(&d, 8, true, "()V");
    record(&d, 0, 0); /* a hole */
    assert_answer(&d, HPROFORIGIN_UNKNOWN);
    d.data[22] = 5; /* of identifiers */
    assert_answer(&d, HPROFORIGIN_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_an_error),
        cmocka_unit_test(asked_for),
        cmocka_unit_test(others_do_not_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
