/* SPDX-License-Identifier: Apache-2.0
 *
 * Notes as the kernel lays them out, on both word sizes and byte orders.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "core/corenotes.h"

enum { NOTES_AT = 256 };

struct core {
    unsigned char data[1024];
    size_t size;
    bool wide, big;
};

static void put(struct core *c, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        c->data[at + (c->big ? size - 1 - i : i)] = (unsigned char)(value >> 8 * i);
}

static void begin(struct core *c, bool wide, bool big)
{
    *c = (struct core){.wide = wide, .big = big, .size = NOTES_AT};
    memcpy(c->data,
           "\x7f"
           "ELF",
           4);
    c->data[4] = wide ? 2 : 1;
    c->data[5] = big ? 2 : 1;
    put(c, wide ? 32 : 28, wide ? 64 : 52, wide ? 8 : 4);
    put(c, wide ? 54 : 42, wide ? 56 : 32, 2);
    put(c, wide ? 56 : 44, 2, 2);
    put(c, wide ? 64 : 52, 1, 4); /* something to load stands first */
    put(c, wide ? 120 : 84, 4, 4);
    put(c, wide ? 128 : 88, NOTES_AT, wide ? 8 : 4);
}

/* Returns where the note's content begins. */
static size_t note(struct core *c, unsigned type, size_t size)
{
    size_t at = c->size + 12 + 8;

    put(c, c->size, 5, 4);
    put(c, c->size + 4, size, 4);
    put(c, c->size + 8, type, 4);
    memcpy(c->data + c->size + 12, "CORE", 5);
    c->size = at + ((size + 3) & ~(size_t)3);
    put(c, c->wide ? 152 : 100, c->size - NOTES_AT, c->wide ? 8 : 4);
    return at;
}

static void status(struct core *c, int number)
{
    put(c, note(c, 1, 148) + 12, (uint64_t)number, 2);
}

static void process(struct core *c, size_t size, size_t name, const char *arguments)
{
    size_t at = note(c, 3, size);

    put(c, at + name - 16, 4711, 4);
    memcpy(c->data + at + name, "java", 4);
    memcpy(c->data + at + name + 16, arguments, strlen(arguments));
}

static struct origin origin_of(const struct core *c)
{
    struct origin o = {0};
    uint64_t at = 0, size = 0;

    assert_int_equal(corenotes_find(c->data, c->size, &at, &size), 0);
    assert_int_equal(at, NOTES_AT);
    assert_int_equal(size, c->size - NOTES_AT);
    corenotes_origin(c->data, c->size, c->data + at, (size_t)size, &o);
    return o;
}

static void assert_dead_by(struct core *c, bool wide, bool big, size_t process_size, size_t name)
{
    struct origin o;

    begin(c, wide, big);
    status(c, SIGSEGV);
    process(c, process_size, name, "java -jar app.jar ");
    status(c, 0); /* of another thread */
    o = origin_of(c);
    assert_string_equal(o.cause, "signal");
    assert_string_equal(o.detail, "SIGSEGV (11)");
    assert_string_equal(o.command, "java -jar app.jar");
    assert_int_equal(o.pid, 4711);
}

static void the_signal_and_the_process(void **state)
{
    struct core c;
    struct origin o;

    (void)state;
    assert_dead_by(&c, true, false, 136, 40);
    assert_dead_by(&c, true, true, 136, 40);
    assert_dead_by(&c, false, false, 124, 28);
    assert_dead_by(&c, false, true, 128, 32);
    put(&c, note(&c, 0x53494749, 128), SIGABRT, 4); /* the kernel's own word */
    o = origin_of(&c);
    assert_string_equal(o.detail, "SIGABRT (6)");
}

static void a_core_of_the_living_is_no_crash(void **state)
{
    struct core c;

    (void)state;
    begin(&c, true, false);
    status(&c, 0);
    process(&c, 136, 40, "");
    assert_string_equal(origin_of(&c).cause, "user");
    assert_string_equal(origin_of(&c).command, "java");
    begin(&c, true, false);
    status(&c, SIGSTOP);
    assert_string_equal(origin_of(&c).cause, "user");
}

static void what_is_cut_says_less(void **state)
{
    struct core c;
    uint64_t at, size;

    (void)state;
    begin(&c, true, false);
    status(&c, SIGSEGV);
    process(&c, 136, 40, "java");
    for (size_t cut = 0; cut <= c.size; cut++) {
        struct origin o = {0};
        bool found = corenotes_find(c.data, cut, &at, &size) == 0;

        assert_int_equal(found, cut >= 64 + 2 * 56);
        corenotes_origin(c.data, cut, c.data + NOTES_AT, cut > NOTES_AT ? cut - NOTES_AT : 0, &o);
        assert_int_equal(*o.cause != '\0', cut >= NOTES_AT + 12 + 8 + 148);
        assert_int_equal(o.pid != 0, cut == c.size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signal_and_the_process),
        cmocka_unit_test(a_core_of_the_living_is_no_crash),
        cmocka_unit_test(what_is_cut_says_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
