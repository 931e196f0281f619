/* SPDX-License-Identifier: Apache-2.0
 *
 * Random heaps, written as heap dumps and read back: what each object keeps alive against the definition (what can't be
 * reached once it is removed), with one thread and several, in memory and in a file. SALVAGE_HEAPS: how many (1000).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hprof/retained.h"

enum { CLASSES = 6, OBJECTS = 194, NODES = CLASSES + OBJECTS, REFS = 6, BASE = 0x10000, SPACE = 1 << 16 };
enum { OBJECT_CLASS, WEAK_CLASS, PLAIN_CLASSES = 2, ARRAY_CLASS = 5 };

/* The model: classes are the first nodes. */
static struct {
    unsigned id_size, nodes, fields[CLASSES];
    unsigned super[CLASSES];
    unsigned class_of[NODES], count[NODES], to[NODES][REFS + 1]; /* references of objects; NODES: null */
    bool is_root[NODES], is_bytes[NODES];
    unsigned char dump[SPACE];
    size_t size, segment;
} m;

static unsigned pick(unsigned below)
{
    return (unsigned)rand() % below;
}

static void put(uint64_t value, unsigned size)
{
    while (size-- > 0)
        m.dump[m.size++] = (unsigned char)(value >> (8 * size));
}

static uint64_t id_of(unsigned node)
{
    return node == NODES ? 0 : BASE + (node * 7919U % 211U) * 64; /* in another order than the dump's */
}

static void put_id(unsigned node)
{
    put(id_of(node), m.id_size);
}

static void begin(unsigned char tag)
{
    put(tag, 1);
    put(0, 4);
    m.segment = m.size;
    put(0, 4);
}

static void end(void)
{
    size_t size = m.size - m.segment - 4, all = m.size;

    m.size = m.segment;
    put(size, 4);
    m.size = all;
}

static void put_text(uint64_t id, const char *text)
{
    begin(0x01);
    put(id, m.id_size);
    memcpy(m.dump + m.size, text, strlen(text));
    m.size += strlen(text);
    end();
}

static void put_names(void)
{
    static const char *const NAMES[CLASSES] = {
        "java/lang/Object", "java/lang/ref/WeakReference", "A", "B", "C", "[LA;"};

    put_text(100, "referent");
    put_text(101, "field");
    for (unsigned c = 0; c < CLASSES; c++) {
        put_text(c + 1, NAMES[c]);
        begin(0x02);
        put(c + 1, 4);
        put_id(c);
        put(0, 4);
        put(c + 1, m.id_size);
        end();
    }
}

static void put_class(unsigned c)
{
    put(0x20, 1);
    put_id(c);
    put(0, 4);
    put_id(c == OBJECT_CLASS ? NODES : m.super[c]);
    for (int i = 0; i < 5; i++)
        put(0, m.id_size);
    put(0, 4); /* size of an instance, constants */
    put(0, 2);
    put(m.count[c], 2); /* static fields */
    for (unsigned i = 0; i < m.count[c]; i++) {
        put(101, m.id_size);
        put(HEAP_OBJECT, 1);
        put_id(m.to[c][i]);
    }
    put(m.fields[c], 2);
    for (unsigned i = 0; i < m.fields[c]; i++) {
        put(c == WEAK_CLASS ? 100 : 101, m.id_size);
        put(HEAP_OBJECT, 1);
    }
}

static void put_object(unsigned node)
{
    if (m.is_bytes[node]) {
        put(0x23, 1);
        put_id(node);
        put(0, 4);
        put(node % 50, 4);
        put(HEAP_BYTE, 1);
        for (unsigned i = 0; i < node % 50; i++)
            put(i, 1);
        return;
    }
    put(m.class_of[node] == ARRAY_CLASS ? 0x22 : 0x21, 1);
    put_id(node);
    put(0, 4);
    if (m.class_of[node] == ARRAY_CLASS)
        put(m.count[node], 4);
    put_id(m.class_of[node]);
    if (m.class_of[node] != ARRAY_CLASS)
        put((uint64_t)m.count[node] * m.id_size, 4);
    for (unsigned i = 0; i < m.count[node]; i++)
        put_id(m.to[node][i]);
}

static unsigned any_target(unsigned node)
{
    return pick(5) == 0 ? NODES : pick(4) ? CLASSES + pick(m.nodes - CLASSES) : node > CLASSES ? node - 1 : CLASSES;
}

static void make_objects(void)
{
    for (unsigned c = 0; c < CLASSES; c++) {
        m.super[c] = c < PLAIN_CLASSES + 1 || c == ARRAY_CLASS ? OBJECT_CLASS : pick(2) ? c - 1 : OBJECT_CLASS;
        m.fields[c] = c == WEAK_CLASS ? 1 : c == OBJECT_CLASS || c == ARRAY_CLASS ? 0 : pick(3);
        m.count[c] = pick(3);
        m.is_root[c] = pick(2);
    }
    for (unsigned n = CLASSES; n < m.nodes; n++) {
        unsigned c = pick(CLASSES), of = c;

        m.is_bytes[n] = pick(4) == 0;
        m.class_of[n] = c;
        m.count[n] = c == ARRAY_CLASS ? pick(REFS) : m.fields[c];
        for (; c != ARRAY_CLASS && of != OBJECT_CLASS; of = m.super[of])
            m.count[n] += of == c ? 0 : m.fields[of];
        if (m.is_bytes[n])
            m.count[n] = 0;
        m.is_root[n] = pick(20) == 0;
    }
    for (unsigned n = 0; n < m.nodes; n++)
        for (unsigned i = 0; i < m.count[n]; i++)
            m.to[n][i] = any_target(n);
}

static void make(void)
{
    memset(&m, 0, sizeof(m));
    m.id_size = pick(2) ? 4 : 8;
    m.nodes = CLASSES + 1 + pick(OBJECTS);
    make_objects();
    memcpy(m.dump, "JAVA PROFILE 1.0.2", 19);
    m.size = 19;
    put(m.id_size, 4);
    put(0, 8);
    put_names();
    begin(0x1C);
    for (unsigned n = 0; n < m.nodes; n++) {
        if (n < CLASSES)
            put_class(n);
        else
            put_object(n);
        if (pick(20) == 0) {
            end();
            begin(0x1C);
        }
    }
    for (unsigned n = 0; n < m.nodes; n++)
        if (m.is_root[n]) {
            put(n < CLASSES ? HEAP_ROOT_STICKY_CLASS : HEAP_ROOT_MONITOR, 1);
            put_id(n);
        }
    end();
    begin(0x2C);
    end();
}

static void visit(unsigned node, unsigned without, bool *seen, unsigned *stack, unsigned *depth)
{
    if (node == NODES || node == without || seen[node])
        return;
    seen[node] = true;
    stack[(*depth)++] = node;
}

/* By the rules of docs/inspect.md: references, an instance's class unless a root keeps it, a class's superclass. */
static void reach(unsigned without, bool seen[NODES])
{
    unsigned stack[NODES], depth = 0;

    memset(seen, 0, NODES * sizeof(*seen));
    for (unsigned n = 0; n < m.nodes; n++)
        if (m.is_root[n])
            visit(n, without, seen, stack, &depth);
    while (depth > 0) {
        unsigned n = stack[--depth];

        for (unsigned i = 0; i < m.count[n]; i++)
            visit(m.to[n][i], without, seen, stack, &depth);
        if (n < CLASSES && n != OBJECT_CLASS)
            visit(m.super[n], without, seen, stack, &depth);
        if (n >= CLASSES && !m.is_bytes[n])
            visit(m.class_of[n], without, seen, stack, &depth);
    }
}

static void check(const struct heap_limits *limits)
{
    bool all[NODES], rest[NODES];
    uint32_t of[NODES];
    struct retained r;
    struct heap *h;
    struct err e;

    assert_int_equal(heap_load_within(m.dump, m.size, limits, &h, &e), 0);
    assert_null(h->reader.cut);
    assert_int_equal(h->objects, m.nodes);
    assert_int_equal(retained_find(h, &r, &e), 0);
    for (unsigned n = 0; n < m.nodes; n++)
        of[n] = heap_index_find(h->index, id_of(n));
    reach(NODES + 1, all);
    for (unsigned x = 0; x < m.nodes; x++) {
        uint64_t bytes = 0;

        assert_int_equal(retained_at(&r, of[x]) != DOMINATORS_NONE, all[x]);
        if (!all[x])
            continue;
        reach(x, rest);
        for (unsigned y = 0; y < m.nodes; y++)
            bytes += all[y] && !rest[y] ? heap_size(h, of[y]) : 0;
        assert_true(retained_bytes(&r, retained_at(&r, of[x])) == bytes);
        assert_true(retained_over(&r, retained_at(&r, of[x])) < retained_at(&r, of[x]));
    }
    retained_done(&r);
    heap_free(h);
}

static void what_an_object_keeps_alive_is_what_its_removal_makes_unreachable(void **state)
{
    const char *wanted = getenv("SALVAGE_HEAPS");
    int heaps = wanted ? atoi(wanted) : 1000, fd = memfd_create("heap", MFD_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    srand(1);
    for (int i = 0; i < heaps; i++) {
        make();
        check(&(struct heap_limits){
            .threads = 1 + (unsigned)i % 3, .memory = i % 5 == 0 ? 1 : 0, .fd = i % 5 == 0 ? fd : -1, .verify = true});
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_object_keeps_alive_is_what_its_removal_makes_unreachable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
