/* SPDX-License-Identifier: Apache-2.0
 *
 * make_heap shop|random OBJECTS > heap.hprof: a heap dump of any size, always the same, at the speed of the disk.
 * shop: a HashMap of orders with strings, lists and boxed numbers, as a cache that grows. random: objects with two
 * references on average to any other, the worst there is for caches.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 21, SEGMENT = 1 << 20, ORDER_OBJECTS = 11, SHARED = 4096 };
enum { REFERENT = 998, CACHE = 999 }; /* names */
enum { TYPE_OBJECT = 2, TYPE_BYTE = 8, TYPE_INT = 10, TYPE_LONG = 11 };
enum { OBJECT = 1, CLASS, STRING, MAP, NODE, NODES, LONG, ORDER, ITEM, LIST, OBJECTS, CART, LOADER, CELL, BYTES };
enum { REFERENCE = BYTES + 1, WEAK, SOFT, FINAL, PHANTOM, CLASSES }; /* no heap is without them */

#define CLASS_BASE UINT64_C(0x6ffff0000)
#define HEAP_BASE UINT64_C(0x700000000)

static unsigned char room[ROOM];
static size_t used;
static uint64_t next_address = HEAP_BASE, seed = 1, field_name = 1000;

static uint64_t random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void put(uint64_t value, unsigned size)
{
    for (unsigned i = size; i-- > 0;)
        room[used++] = (unsigned char)(value >> (8 * i));
}

static void flush(unsigned char tag)
{
    unsigned char head[9] = {tag,
                             0,
                             0,
                             0,
                             0,
                             (unsigned char)(used >> 24),
                             (unsigned char)(used >> 16),
                             (unsigned char)(used >> 8),
                             (unsigned char)used};

    if (used == 0)
        return;
    if (fwrite(head, sizeof(head), 1, stdout) != 1 || fwrite(room, used, 1, stdout) != 1) {
        perror("make_heap");
        exit(1);
    }
    used = 0;
}

static void text(uint64_t id, const char *s)
{
    put(id, 8);
    memcpy(room + used, s, strlen(s));
    used += strlen(s);
    flush(0x01);
}

static uint64_t class_id(unsigned number)
{
    return CLASS_BASE + number * 128;
}

static void load_class(unsigned number, const char *name)
{
    text(number, name);
    put(number, 4);
    put(class_id(number), 8);
    put(0, 4);
    put(number, 8);
    flush(0x02);
}

/* As VisualVM takes it: bytes in the heap, with compressed references. */
static uint64_t instance_size(unsigned number, const char *fields)
{
    uint64_t size = 12;

    for (const char *f = fields; *f; f++)
        size += *f == 'J' ? 8 : *f == 'B' ? 1 : 4;
    return number == OBJECT ? size : (size + 7) / 8 * 8;
}

/* fields: "L" a reference, "R" the referent of one, "I" an int, "J" a long, "B" a byte. */
static void class_record(unsigned number, const char *fields, uint64_t loader, uint64_t static_value)
{
    put(0x20, 1);
    put(class_id(number), 8);
    put(0, 4);
    put(number == OBJECT ? 0 : class_id(number > REFERENCE ? REFERENCE : OBJECT), 8);
    put(loader, 8);
    for (int i = 0; i < 4; i++)
        put(0, 8);
    put(instance_size(number, fields), 4);
    put(0, 2);
    put(static_value != 0, 2);
    if (static_value) {
        put(CACHE, 8);
        put(TYPE_OBJECT, 1);
        put(static_value, 8);
    }
    put(strlen(fields), 2);
    for (const char *f = fields; *f; f++) {
        put(*f == 'R' ? REFERENT : field_name++, 8);
        put(*f == 'L' || *f == 'R' ? TYPE_OBJECT : *f == 'I' ? TYPE_INT : *f == 'J' ? TYPE_LONG : TYPE_BYTE, 1);
    }
}

static uint64_t take_address(unsigned bytes)
{
    uint64_t id = next_address;

    next_address += (bytes + 7) / 8 * 8;
    if (used > SEGMENT)
        flush(0x1C);
    return id;
}

static void instance(uint64_t id, unsigned class, unsigned size)
{
    put(0x21, 1);
    put(id, 8);
    put(0, 4);
    put(class_id(class), 8);
    put(size, 4);
}

static void array_of(uint64_t id, unsigned class, unsigned length)
{
    put(0x22, 1);
    put(id, 8);
    put(0, 4);
    put(length, 4);
    put(class_id(class), 8);
}

static void string(uint64_t id, uint64_t value)
{
    instance(id, STRING, 13);
    put(value, 8);
    put(random_number(), 4);
    put(0, 1);
}

static void bytes(uint64_t id, unsigned length)
{
    put(0x23, 1);
    put(id, 8);
    put(0, 4);
    put(length, 4);
    put(TYPE_BYTE, 1);
    for (unsigned i = 0; i < length; i++)
        room[used++] = (unsigned char)('a' + random_number() % 26);
}

static uint64_t shared_string(uint64_t shared)
{
    return shared + random_number() % SHARED * 56;
}

/* An order with its node, key, name, list of two items: 11 objects. The map's nodes are in chains of two. */
static uint64_t order(uint64_t shared, uint64_t next)
{
    uint64_t node = take_address(32), key = take_address(24), order = take_address(32), name = take_address(24);
    unsigned length = 8 + (unsigned)(random_number() % 776);
    uint64_t value = take_address(16 + length), list = take_address(24), elements = take_address(16 + 4 * 4);
    uint64_t item[2] = {take_address(24), take_address(24)}, price[2] = {take_address(24), take_address(24)};

    instance(node, NODE, 28);
    put(random_number(), 4);
    put(key, 8);
    put(order, 8);
    put(next, 8);
    instance(key, LONG, 8);
    put(random_number(), 8);
    instance(order, ORDER, 32);
    put(random_number(), 8);
    put(name, 8);
    put(list, 8);
    put(shared_string(shared), 8);
    string(name, value);
    bytes(value, length);
    instance(list, LIST, 16);
    put(2, 4);
    put(2, 4);
    put(elements, 8);
    array_of(elements, OBJECTS, 4);
    put(item[0], 8);
    put(item[1], 8);
    put(0, 8);
    put(0, 8);
    for (int i = 0; i < 2; i++) {
        instance(item[i], ITEM, 20);
        put(1, 4);
        put(shared_string(shared), 8);
        put(price[i], 8);
    }
    for (int i = 0; i < 2; i++) {
        instance(price[i], LONG, 8);
        put(random_number(), 8);
    }
    return node;
}

static void shop(uint64_t objects)
{
    uint64_t orders = objects / ORDER_OBJECTS + 1, map = take_address(48), shared, chain = 0, table;
    uint64_t *heads = malloc((orders / 2 + 1) * sizeof(*heads));
    size_t count = 0;

    if (!heads)
        exit(1);
    class_record(CART, "", class_id(LOADER) + 64, map);
    shared = next_address;
    for (int i = 0; i < SHARED; i++) {
        uint64_t id = take_address(24), value = take_address(32);

        string(id, value);
        bytes(value, 16);
    }
    for (uint64_t i = 0; i < orders; i++) {
        chain = order(shared, i % 2 ? chain : 0);
        if (i % 2)
            heads[count++] = chain;
    }
    flush(0x1C);
    table = take_address((unsigned)(16 + 4 * count));
    instance(map, MAP, 24);
    put(count, 4);
    put(0, 4);
    put(0, 4);
    put(0, 4);
    put(table, 8);
    flush(0x1C);
    if (count * 8 + 25 < ROOM) {
        array_of(table, NODES, (unsigned)count);
        for (size_t i = 0; i < count; i++)
            put(heads[i], 8);
        flush(0x1C);
    } else { /* one record larger than the room */
        unsigned char head[9] = {0x1C};
        uint64_t size = 25 + count * 8;

        for (int i = 0; i < 4; i++)
            head[5 + i] = (unsigned char)(size >> (24 - 8 * i));
        fwrite(head, sizeof(head), 1, stdout);
        array_of(table, NODES, (unsigned)count);
        for (size_t i = 0; i < count; i++) {
            put(heads[i], 8);
            if (used > SEGMENT) {
                fwrite(room, used, 1, stdout);
                used = 0;
            }
        }
        fwrite(room, used, 1, stdout);
        used = 0;
    }
    free(heads);
}

static void random_graph(uint64_t objects)
{
    class_record(CART, "", class_id(LOADER) + 64, HEAP_BASE);
    for (uint64_t i = 0; i < objects; i++) {
        instance(take_address(32), CELL, 32);
        for (int f = 0; f < 4; f++) {
            uint64_t number = random_number();

            put(number & 1 ? HEAP_BASE + (number >> 8) % objects * 32 : 0, 8);
        }
    }
    flush(0x1C);
}

static void root(unsigned char kind, uint64_t id)
{
    put(kind, 1);
    put(id, 8);
    if (kind == 0x01)
        put(id, 8);
}

int main(int argc, char **argv)
{
    static const char *const NAMES[CLASSES] = {[OBJECT] = "java/lang/Object",
                                               [CLASS] = "java/lang/Class",
                                               [STRING] = "java/lang/String",
                                               [MAP] = "java/util/HashMap",
                                               [NODE] = "java/util/HashMap$Node",
                                               [NODES] = "[Ljava/util/HashMap$Node;",
                                               [LONG] = "java/lang/Long",
                                               [ORDER] = "com/shop/Order",
                                               [ITEM] = "com/shop/Item",
                                               [LIST] = "java/util/ArrayList",
                                               [OBJECTS] = "[Ljava/lang/Object;",
                                               [CART] = "com/shop/Cart",
                                               [LOADER] = "com/shop/Loader",
                                               [CELL] = "com/shop/Cell",
                                               [BYTES] = "[B",
                                               [REFERENCE] = "java/lang/ref/Reference",
                                               [WEAK] = "java/lang/ref/WeakReference",
                                               [SOFT] = "java/lang/ref/SoftReference",
                                               [FINAL] = "java/lang/ref/FinalReference",
                                               [PHANTOM] = "java/lang/ref/PhantomReference"};
    static const char *const FIELDS[CLASSES] = {
        [STRING] = "LIB", [MAP] = "IIIIL", [NODE] = "ILLL", [LONG] = "J",     [ORDER] = "JLLL",
        [ITEM] = "ILL",   [LIST] = "IIL",  [CELL] = "LLLL", [REFERENCE] = "R"};
    uint64_t objects = argc == 3 ? strtoull(argv[2], NULL, 10) : 0, loader = class_id(LOADER) + 64;

    if (objects == 0 || (strcmp(argv[1], "shop") != 0 && strcmp(argv[1], "random") != 0)) {
        fputs("usage: make_heap shop|random OBJECTS > heap.hprof\n", stderr);
        return 2;
    }
    fwrite("JAVA PROFILE 1.0.2\0\0\0\0\10\0\0\1\223\0\0\0\0", 31, 1, stdout);
    for (unsigned c = OBJECT; c < CLASSES; c++)
        load_class(c, NAMES[c]);
    text(CACHE, "CACHE");
    text(REFERENT, "referent");
    for (uint64_t f = 1000; f < 1040; f++)
        text(f, "field");
    for (unsigned c = OBJECT; c < CLASSES; c++)
        if (c != CART)
            class_record(c, FIELDS[c] ? FIELDS[c] : "", c == ORDER || c == ITEM || c == CELL ? loader : 0, 0);
    instance(loader, LOADER, 0);
    (strcmp(argv[1], "shop") == 0 ? shop : random_graph)(objects);
    for (unsigned c = OBJECT; c < CLASSES; c++)
        if (c != ORDER && c != ITEM && c != CELL && c != CART)
            root(0x05, class_id(c));
    root(0x01, loader);
    root(0x01, class_id(CART));
    flush(0x1C);
    put(0, 0);
    fwrite("\x2C\0\0\0\0\0\0\0\0", 9, 1, stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}
