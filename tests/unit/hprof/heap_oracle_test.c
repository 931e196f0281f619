/* SPDX-License-Identifier: Apache-2.0
 *
 * Real heap dumps beside VisualVM's heap library, which defines some things otherwise. Its definitions are a graph,
 * too: our dominators of that graph are its retained sizes, to the byte. So the differences between its sizes and ours
 * are the definitions', which rules (below) name, and not the algorithm's. SALVAGE_TEST_HEAP_LAB: a folder with `oracle
 * DUMP N`, which prints what the library says, and dumps in `real/`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "visualvm_rules.h"

enum { CLASSES_MOST = 100000, DUMP_MAX = 64 << 20 };

/* --- what the library says ------------------------------------------------------------------------------------------
 */

static uint64_t number(const json_t *o, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(o, name));
}

static void read_row(const json_t *o, struct row *r)
{
    const char *class = json_string_value(json_object_get(o, json_object_get(o, "class") ? "class" : "name"));

    r->id = strtoull(json_string_value(json_object_get(o, "id")), NULL, 16);
    snprintf(r->class, sizeof(r->class), "%s", class);
}

static void read_line(struct oracle *o, const json_t *line)
{
    const char *what = json_string_value(json_object_get(line, "what"));

    if (text_eq(what, "class") && o->classes < CLASSES_MOST) {
        struct row *r = &o->class[o->classes++];

        read_row(line, r);
        r->retained = number(line, "objects");
        r->shallow = r->retained ? number(line, "bytes") / r->retained : 0;
    } else if (text_eq(what, "retained") && o->count < TOP) {
        struct row *r = &o->top[o->count++];

        read_row(line, r);
        r->shallow = number(line, "shallow");
        r->retained = number(line, "retained");
    }
}

static void ask_oracle(const char *lab, const char *dump, struct oracle *o)
{
    char command[PATH_MAX * 2 + 40], line[4096];
    FILE *out;

    snprintf(command, sizeof(command), "'%s/oracle' '%s' %d 2>&1", lab, dump, TOP);
    assert_non_null(out = popen(command, "r"));
    o->class = zeros(CLASSES_MOST, sizeof(*o->class));
    while (fgets(line, sizeof(line), out)) {
        json_auto_t *json = json_loads(line, 0, NULL);

        if (json)
            read_line(o, json);
    }
    assert_int_equal(pclose(out), 0);
}

/* --- the dumps ------------------------------------------------------------------------------------------------------
 */

static void *read_dump(const char *path, size_t *size)
{
    char command[PATH_MAX + 20];
    char *data = malloc(DUMP_MAX);
    size_t n;
    FILE *in;

    assert_non_null(data);
    snprintf(command, sizeof(command), "%s '%s'", strstr(path, ".xz") ? "xz -dc" : "gzip -dc", path);
    assert_non_null(in = popen(command, "r"));
    for (*size = 0; (n = fread(data + *size, 1, DUMP_MAX - *size, in)) > 0;)
        *size += n;
    assert_int_equal(pclose(in), 0);
    return data;
}

static uint32_t u32_at(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

enum { RECORD_HEAD = 9, HEAP_DUMP = 0x0c, HEAP_SEGMENT = 0x1c, HEAP_END = 0x2c };

static bool is_of_a_dump(unsigned char tag)
{
    return tag == HEAP_DUMP || tag == HEAP_SEGMENT || tag == HEAP_END;
}

/* The library reads the first heap dump of a file, we the last one. So it gets a file without the others. */
static void write_last_dump(const unsigned char *data, size_t size, const char *path)
{
    size_t first = strlen((const char *)data) + 1 + 4 + 8, last = 0;
    unsigned char before = HEAP_END;
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    for (size_t at = first; at + RECORD_HEAD <= size; at += RECORD_HEAD + u32_at(data + at + 5)) {
        if (data[at] == HEAP_DUMP || (data[at] == HEAP_SEGMENT && before != HEAP_SEGMENT))
            last = at;
        if (is_of_a_dump(data[at]))
            before = data[at];
    }
    fwrite(data, 1, first, out);
    for (size_t at = first; at + RECORD_HEAD <= size; at += RECORD_HEAD + u32_at(data + at + 5))
        if (!is_of_a_dump(data[at]) || at >= last)
            fwrite(data + at, 1, RECORD_HEAD + u32_at(data + at + 5), out);
    assert_int_equal(fclose(out), 0);
}

/* Arrays of primitive elements have a type of ours beside the one that the dump describes. */
static uint64_t count_of(const struct heap *h, const struct row *r)
{
    uint32_t type = id_map_get(&h->type_of_id, r->id);

    for (unsigned e = 0; e < HEAP_TYPE_END; e++)
        if (e != HEAP_OBJECT && heap_type_size(&h->reader, e) > 0 && text_eq(h->types[h->primitive[e]].name, r->class))
            return h->types[h->primitive[e]].count;
    return type == ID_MAP_NONE ? 0 : h->types[type].count;
}

/* Classes are no instances there. */
static void assert_same_classes(const struct heap *h, const struct oracle *o)
{
    for (size_t i = 0; i < o->classes; i++)
        if (!text_eq(o->class[i].class, "java.lang.Class") && count_of(h, &o->class[i]) != o->class[i].retained)
            fail_msg("%s: %" PRIu64 " objects, %" PRIu64 " by the library", o->class[i].class,
                     count_of(h, &o->class[i]), o->class[i].retained);
}

static void assert_same_sizes(const struct model *m, const struct oracle *o)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < o->count; i++) {
        uint32_t node = heap_index_find(m->h->index, o->top[i].id);

        assert_int_not_equal(node, HEAP_NONE);
        if (m->retained[node] == o->top[i].retained)
            continue;
        wrong++;
        print_error("%" PRIx64 " %s retains %" PRIu64 ", by the library's rules %" PRIu64 "\n", o->top[i].id,
                    o->top[i].class, o->top[i].retained, m->retained[node]);
    }
    assert_int_equal(wrong, 0);
}

static unsigned same_as_ours(const struct heap *h, const struct retained *r, const struct oracle *o)
{
    unsigned same = 0;

    for (size_t i = 0; i < o->count; i++) {
        uint32_t at = retained_at(r, heap_index_find(h->index, o->top[i].id));

        same += at != DOMINATORS_NONE && retained_bytes(r, at) == o->top[i].retained;
    }
    return same;
}

static void compare(const char *lab, const char *path)
{
    struct oracle *o = zeros(1, sizeof(*o));
    struct retained r;
    struct model m;
    struct heap *h;
    struct err e;
    size_t size;
    void *data = read_dump(path, &size);

    assert_int_equal(heap_load(data, size, &h, &e), 0);
    assert_int_equal(retained_find(h, &r, &e), 0);
    if (h->dumps > 1) {
        char last[] = "/tmp/last-dump-XXXXXX";
        int fd = mkstemp(last);

        assert_true(fd >= 0 && close(fd) == 0);
        write_last_dump(data, size, last);
        ask_oracle(lab, last, o);
        unlink(last);
    } else {
        ask_oracle(lab, path, o);
    }
    assert_true(o->classes > 0 && o->count > 0);
    assert_same_classes(h, o);
    model_make(&m, h, o);
    print_message("%s: %" PRIu32
                  " objects; of the library's %zu largest retained sizes %u are ours, all are by its rules\n",
                  strrchr(path, '/') + 1, h->objects, o->count, same_as_ours(h, &r, o));
    assert_same_sizes(&m, o);
    model_done(&m);
    retained_done(&r);
    heap_free(h);
    free(o->class);
    free(o);
    free(data);
}

static void visualvm_says_the_same_by_its_rules(void **state)
{
    const char *lab = getenv("SALVAGE_TEST_HEAP_LAB");
    char pattern[PATH_MAX];
    glob_t found;

    (void)state;
    if (!lab || !*lab) {
        print_message("SALVAGE_TEST_HEAP_LAB is not set: VisualVM's heap library is left out\n");
        skip();
    }
    snprintf(pattern, sizeof(pattern), "%s/real/*.hprof.*z", lab);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        compare(lab, found.gl_pathv[i]);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(visualvm_says_the_same_by_its_rules)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
