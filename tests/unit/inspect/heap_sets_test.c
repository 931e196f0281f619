/* SPDX-License-Identifier: Apache-2.0
 *
 * What classes, packages, loaders and marked objects keep alive, against the definition: remove an object of the set,
 * and see what can no longer be reached; on random heaps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>

#include "heap_dump_make.h"
#include "inspect/heap_sets.h"

enum {
    CLASSES = 6,
    OBJECTS = 60,
    HEAPS = 300,
    CLASS_ID = 0x100000,
    OBJECT_ID = 0x200000,
    THREADS = 2,
    NODES = OBJECTS + CLASSES + 1
};

static const char *const NAMES[CLASSES] = {"com/shop/Cart", "com/shop/Order", "com/shop/db/Row",
                                           "com/Main",      "Plain",          "org/x/Y"};
static struct dump dump;

static uint64_t object(unsigned i)
{
    return OBJECT_ID + 32 * i;
}

/* Classes are roots, so that they hold nothing that matters; objects have two references to any object. */
static void make(unsigned objects)
{
    const struct dump_field fields[] = {{"left", HEAP_OBJECT, 0}, {"right", HEAP_OBJECT, 0}};

    dump_begin(&dump);
    for (unsigned i = 0; i < CLASSES; i++) {
        dump_class(&dump, &(struct dump_class){.id = CLASS_ID + 64 * i,
                                               .name = NAMES[i],
                                               .fields = fields,
                                               .field_count = 2,
                                               .loader = i == 5 ? object(0) : 0});
        dump_root(&dump, CLASS_ID + 64 * i);
    }
    for (unsigned i = 0; i < objects; i++) {
        dump_instance(&dump, object(i), CLASS_ID + 64 * (uint64_t)(rand() % CLASSES), 16);
        for (unsigned f = 0; f < 2; f++)
            dump_u(&dump, rand() % 3 ? object((unsigned)rand() % objects) : 0, 8);
    }
    for (unsigned i = 0; i < 3; i++)
        dump_local(&dump, object((unsigned)rand() % objects), (uint32_t)(rand() % THREADS), 0);
    dump_end(&dump);
}

struct nodes {
    bool has[NODES];
};

/* What is reached from the roots without one node (HEAP_NONE: with all). */
static void reach(const struct heap *h, uint32_t without, struct nodes *seen)
{
    uint32_t stack[NODES], depth = 0;

    assert_true(h->objects < NODES);
    memset(seen, 0, sizeof(*seen));
    for (size_t i = 0; i < h->root_count; i++)
        if (!seen->has[h->roots[i].node] && h->roots[i].node != without) {
            seen->has[h->roots[i].node] = true;
            stack[depth++] = h->roots[i].node;
        }
    while (depth > 0) {
        struct heap_edges edges = heap_edges_of(h, stack[--depth]);

        while (heap_edges_next(&edges))
            if (!seen->has[edges.target] && edges.target != without) {
                seen->has[edges.target] = true;
                stack[depth++] = edges.target;
            }
    }
}

/* The bytes that each single object of the set keeps alive; what two of them keep, once. */
static struct set_size expected(const struct heap *h, const struct nodes *set)
{
    struct nodes all, rest, lost = {{false}};
    struct set_size size = {0};

    reach(h, HEAP_NONE, &all);
    for (uint32_t n = 0; n < h->objects; n++) {
        if (!set->has[n] || !all.has[n])
            continue;
        size.count++;
        size.bytes += heap_size(h, n);
        reach(h, n, &rest);
        for (uint32_t m = 0; m < h->objects; m++)
            lost.has[m] |= all.has[m] && !rest.has[m];
    }
    for (uint32_t n = 0; n < h->objects; n++)
        size.retained += lost.has[n] ? heap_size(h, n) : 0;
    return size;
}

static void assert_size(const struct set_size *found, const struct set_size *wanted)
{
    assert_int_equal(found->count, wanted->count);
    assert_int_equal(found->bytes, wanted->bytes);
    assert_int_equal(found->retained, wanted->retained);
}

static bool is_below(const char *class, const char *package)
{
    size_t size = strlen(package);

    return size == 0 ? !strchr(class, '.') : strncmp(class, package, size) == 0 && class[size] == '.';
}

static void check_classes(const struct heap *h, const struct heap_sets *s)
{
    for (uint32_t t = 0; t < h->type_count; t++) {
        struct nodes set = {{false}};
        struct set_size wanted;

        for (uint32_t n = 0; n < h->objects; n++)
            set.has[n] = heap_type_of(h, n) == t;
        wanted = expected(h, &set);
        assert_size(&s->type[t], &wanted);
        assert_int_equal(s->garbage[t].count + s->type[t].count, h->types[t].count);
    }
}

static void check_packages(const struct heap *h, const struct heap_sets *s)
{
    bool seen = false;

    for (size_t i = 0; i < s->package_count; i++) {
        struct nodes set = {{false}};
        struct set_size wanted;

        for (uint32_t n = 0; n < h->objects; n++)
            set.has[n] = is_below(h->types[heap_type_of(h, n)].name, s->package[i].name);
        wanted = expected(h, &set);
        assert_size(&s->package[i].size, &wanted);
        seen |= strcmp(s->package[i].name, "com") == 0 && s->package[i].parent == HEAP_NONE;
    }
    assert_true(seen);
}

/* org.x.Y is the only class of the loader that object 0 is. */
static void check_loaders(const struct heap *h, const struct heap_sets *s)
{
    uint32_t loader = heap_index_find(h->index, object(0)), class = heap_index_find(h->index, CLASS_ID + 64 * 5);
    bool seen = false;

    for (size_t i = 0; i < s->loader_count; i++) {
        struct nodes set = {{false}};
        struct set_size wanted;

        if (s->loader[i].node != loader)
            continue;
        for (uint32_t n = 0; n < h->objects; n++)
            set.has[n] = n == loader || n == class || strcmp(h->types[heap_type_of(h, n)].name, "org.x.Y") == 0;
        wanted = expected(h, &set);
        assert_size(&s->loader[i].size, &wanted);
        assert_int_equal(s->loader[i].classes, 1);
        seen = true;
    }
    assert_true(seen);
}

static void sets_keep_alive_what_their_objects_do(void **state)
{
    (void)state;
    srand(1);
    for (unsigned i = 0; i < HEAPS; i++) {
        struct set_mark mark[3];
        struct set_marks marks = {mark, 0, 2};
        struct nodes set[2] = {{{false}}};
        struct retained retained;
        struct heap_sets s;
        struct heap *h;
        struct err e;

        make(1 + (unsigned)rand() % OBJECTS);
        assert_int_equal(heap_load(dump.data, dump.size, &h, &e), 0);
        assert_int_equal(retained_find(h, &retained, &e), 0);
        for (uint32_t n = 0; n < h->objects && marks.count < 3; n += 1 + (uint32_t)rand() % 5) {
            mark[marks.count] = (struct set_mark){n, (uint32_t)rand() % 2};
            set[mark[marks.count].set].has[n] = true;
            marks.count++;
        }
        assert_int_equal(heap_sets_find(h, &retained, &marks, &s), 0);
        check_classes(h, &s);
        check_packages(h, &s);
        check_loaders(h, &s);
        for (unsigned m = 0; m < 2; m++) {
            struct set_size wanted = expected(h, &set[m]);

            assert_size(&s.marked[m], &wanted);
        }
        heap_sets_done(&s);
        retained_done(&retained);
        heap_free(h);
    }
}

static void hidden_classes_have_the_package_of_their_name(void **state)
{
    const struct set_marks none = {NULL, 0, 0};
    struct retained retained;
    struct heap_sets s;
    struct heap *h;
    struct err e;

    (void)state;
    dump_begin(&dump);
    dump_class(&dump, &(struct dump_class){.id = CLASS_ID, .name = "com/shop/Cart$$Lambda$14/0x0000000800c03000"});
    dump_class(&dump, &(struct dump_class){.id = CLASS_ID + 64, .name = "[Lcom/shop/Cart;"});
    dump_end(&dump);
    assert_int_equal(heap_load(dump.data, dump.size, &h, &e), 0);
    assert_int_equal(retained_find(h, &retained, &e), 0);
    assert_int_equal(heap_sets_find(h, &retained, &none, &s), 0);
    assert_int_equal(s.package_count, 2);
    assert_string_equal(s.package[1].name, "com.shop");
    heap_sets_done(&s);
    retained_done(&retained);
    heap_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_keep_alive_what_their_objects_do),
        cmocka_unit_test(hidden_classes_have_the_package_of_their_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
