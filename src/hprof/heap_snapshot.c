/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over the nodes, which are added up by type and number of their name; the names are looked up afterwards.
 */
#include "hprof/heap_snapshot.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { HEAD_MAX = 64 * 1024, FIELDS_MAX = 32, TYPES_MAX = 64, SLOTS_FIRST = 4096, SLOTS_MAX = 8 * 1024 * 1024 };

struct span {
    const char *at, *end;
};

struct class_sum {
    uint64_t key; /* name * TYPES_MAX + type, + 1; 0: free */
    uint64_t count, bytes;
};

struct snapshot {
    unsigned fields, type, name, size; /* of a node: their number, and which is which */
    struct span types[TYPES_MAX];
    unsigned type_count;
    uint64_t nodes, bytes;
    struct class_sum *sum;
    size_t slots, used; /* slots: a power of two */
};

static struct span behind(struct span s, const char *words)
{
    const char *found = memmem(s.at, (size_t)(s.end - s.at), words, strlen(words));

    return found ? (struct span){found + strlen(words), s.end} : (struct span){s.end, s.end};
}

static bool is(struct span s, const char *text)
{
    return (size_t)(s.end - s.at) == strlen(text) && memcmp(s.at, text, strlen(text)) == 0;
}

/* Behind the quote that opens the next string of a list; false at its end. */
static bool open_string(struct span *list)
{
    while (list->at < list->end && *list->at != '"') {
        if (*list->at == ']')
            return false;
        list->at++;
    }
    if (list->at == list->end)
        return false;
    list->at++;
    return true;
}

/* The next string of a list of names, which have no escapes; false at its end. */
static bool next_name(struct span *list, struct span *ret)
{
    const char *close;

    if (!open_string(list))
        return false;
    if (!(close = memchr(list->at, '"', (size_t)(list->end - list->at))))
        return false;
    *ret = (struct span){list->at, close};
    list->at = close + 1;
    return true;
}

static bool read_meta(struct snapshot *s, struct span head)
{
    struct span list = behind(head, "\"node_fields\":["), name;
    bool type = false, of_name = false, size = false;

    for (; s->fields < FIELDS_MAX && next_name(&list, &name); s->fields++) {
        if (is(name, "type")) {
            s->type = s->fields;
            type = true;
        } else if (is(name, "name")) {
            s->name = s->fields;
            of_name = true;
        } else if (is(name, "self_size")) {
            s->size = s->fields;
            size = true;
        }
    }
    list = behind(head, "\"node_types\":[[");
    while (s->type_count < TYPES_MAX && next_name(&list, &name))
        s->types[s->type_count++] = name;
    return type && of_name && size && s->type_count > 0;
}

static struct class_sum *slot_of(const struct snapshot *s, uint64_t key)
{
    size_t at = (key * 0x9e3779b97f4a7c15ULL >> 20) & (s->slots - 1);

    while (s->sum[at].key && s->sum[at].key != key)
        at = (at + 1) & (s->slots - 1);
    return &s->sum[at];
}

static int grow(struct snapshot *s)
{
    struct class_sum *old = s->sum;
    size_t slots = s->slots;

    if (slots >= SLOTS_MAX)
        return -ENOMEM;
    s->slots = slots ? slots * 2 : SLOTS_FIRST;
    if (!(s->sum = calloc(s->slots, sizeof(*s->sum)))) {
        s->sum = old;
        s->slots = slots;
        return -ENOMEM;
    }
    for (size_t i = 0; i < slots; i++)
        if (old[i].key)
            *slot_of(s, old[i].key) = old[i];
    free(old);
    return 0;
}

/* Only objects and what the embedder has are named after their constructor. */
static bool has_constructor(const struct snapshot *s, uint64_t type)
{
    return is(s->types[type], "object") || is(s->types[type], "native");
}

static int add_node(struct snapshot *s, const uint64_t *field)
{
    uint64_t type = field[s->type] < s->type_count ? field[s->type] : s->type_count - 1;
    uint64_t key = (has_constructor(s, type) ? field[s->name] : 0) * TYPES_MAX + type + 1;
    struct class_sum *sum;
    int r;

    s->nodes++;
    s->bytes += field[s->size];
    if (field[s->size] == 0)
        return 0;
    if (s->used * 2 >= s->slots && (r = grow(s)) < 0)
        return r;
    sum = slot_of(s, key);
    s->used += sum->key == 0;
    sum->key = key;
    sum->count++;
    sum->bytes += field[s->size];
    return 0;
}

/* Returns what is behind the array. */
static int read_nodes(struct snapshot *s, struct span *text)
{
    uint64_t field[FIELDS_MAX] = {0}, number = 0;
    unsigned at = 0;
    bool digits = false;
    int r;

    for (; text->at < text->end; text->at++) {
        char c = *text->at;

        if (c >= '0' && c <= '9') {
            number = number < UINT32_MAX ? number * 10 + (uint64_t)(c - '0') : number;
            digits = true;
            continue;
        }
        if (digits) {
            field[at++] = number;
            number = 0;
            digits = false;
            if (at == s->fields) {
                at = 0;
                if ((r = add_node(s, field)) < 0)
                    return r;
            }
        }
        if (c == ']')
            break;
    }
    return 0;
}

/* A string up to its closing quote, its escapes as they are written, into out; *list moves behind it. False at the end
 * of the list. out NULL: skipped. */
static bool next_string(struct span *list, char *out, size_t room)
{
    size_t used = 0;

    if (!open_string(list))
        return false;
    for (; list->at < list->end && *list->at != '"'; list->at++) {
        if (*list->at == '\\' && ++list->at == list->end)
            return false;
        if (out && used + 1 < room)
            out[used++] = *list->at;
    }
    if (list->at == list->end)
        return false;
    list->at++;
    if (out)
        out[used] = '\0';
    return true;
}

static int by_bytes(const void *a, const void *b)
{
    const struct class_sum *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* A row that waits for its string. */
struct wanted {
    uint64_t number;
    char *name;
};

static int by_number(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static void take_names(struct wanted *wanted, unsigned count, struct span strings)
{
    char name[SUMMARY_NAME_MAX] = "";
    unsigned at = 0;

    qsort(wanted, count, sizeof(*wanted), by_number);
    for (uint64_t number = 0; at < count; number++) {
        bool named = wanted[at].number == number;

        if (!next_string(&strings, named ? name : NULL, sizeof(name)))
            return;
        for (; at < count && wanted[at].number == number; at++)
            memcpy(wanted[at].name, name, strlen(name) + 1);
    }
}

static int name_rows(const struct snapshot *s, struct span strings, struct summary_row *row, unsigned count)
{
    CLEANUP_FREE struct wanted *wanted = calloc((size_t)count + 1, sizeof(*wanted));
    unsigned n = 0;

    if (!wanted)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        const struct span type = s->types[(s->sum[i].key - 1) % TYPES_MAX];

        snprintf(row[i].name, sizeof(row[i].name), "(%.*s)", (int)(type.end - type.at) % SUMMARY_NAME_MAX, type.at);
        if (has_constructor(s, (s->sum[i].key - 1) % TYPES_MAX))
            wanted[n++] = (struct wanted){(s->sum[i].key - 1) / TYPES_MAX, row[i].name};
    }
    take_names(wanted, n, strings);
    return 0;
}

static int take_rows(const struct snapshot *s, struct span strings, struct summary_row *row, unsigned room,
                     struct heap_snapshot *ret)
{
    struct heap_snapshot found = {.nodes = s->nodes, .bytes = s->bytes};
    size_t count = 0;
    int r;

    for (size_t i = 0; i < s->slots; i++)
        if (s->sum[i].key)
            s->sum[count++] = s->sum[i];
    qsort(s->sum, count, sizeof(*s->sum), by_bytes);
    for (; found.count < count && found.count < room; found.count++)
        row[found.count] = (struct summary_row){.count = s->sum[found.count].count, .bytes = s->sum[found.count].bytes};
    if ((r = name_rows(s, strings, row, found.count)) == 0)
        *ret = found;
    return r;
}

int heap_snapshot_read(const void *data, size_t size, struct summary_row *row, unsigned room, struct heap_snapshot *ret)
{
    const char *text = data;
    struct span all = {text, text + size}, head = {text, text + (size < HEAD_MAX ? size : HEAD_MAX)}, nodes;
    struct snapshot s = {0};
    int r = -EBADMSG;

    assert(data && row && room > 0 && ret);
    nodes = behind(head, "\"nodes\":[");
    if (read_meta(&s, (struct span){head.at, nodes.at}) && nodes.at < nodes.end) {
        nodes.end = all.end;
        r = read_nodes(&s, &nodes);
    }
    if (r == 0 && s.used == 0)
        r = -EBADMSG;
    if (r == 0)
        r = take_rows(&s, behind(nodes, "\"strings\":["), row, room, ret);
    free(s.sum);
    return r;
}

void heap_snapshot_sentence(const struct heap_snapshot *found, const struct summary_row *largest,
                            char out[SUMMARY_SENTENCE_MAX])
{
    char all[TEXT_SIZE_MAX], most[TEXT_SIZE_MAX];

    snprintf(out, SUMMARY_SENTENCE_MAX, "%s in %" PRIu64 " nodes; most: %.120s %s (%" PRIu64 ")",
             text_format_size(found->bytes, all), found->nodes, largest->name, text_format_size(largest->bytes, most),
             largest->count);
}

int heap_snapshot_summary(const void *data, size_t size, struct summary *ret)
{
    struct heap_snapshot found = {0};
    int r;

    assert(data && ret);
    if ((r = heap_snapshot_read(data, size, ret->top, SUMMARY_ROWS_MAX, &found)) < 0)
        return r;
    ret->top_count = found.count;
    heap_snapshot_sentence(&found, &ret->top[0], ret->sentence);
    return 0;
}
