/* SPDX-License-Identifier: Apache-2.0
 */
#include "inspect/waste_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/report_parts.h"

enum {
    ITEMS_MAX = 100000,
    SHOWN = 6,
    LEAST_PERCENT = 1,
    TEXTS_SHOWN = 3,
    TEXT_LEAST = 1000 /* a 1000th of the heap */,
    ROWS_MAX = 1000
};

/* "HashMaps at most half full", in parts. */
struct item {
    const char *before, *class, *behind;
    uint64_t bytes;
};

struct items {
    struct item *item;
    size_t count, capacity;
};

static int most_first(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    return x->bytes != y->bytes ? (x->bytes > y->bytes ? -1 : 1) : strcmp(x->class, y->class);
}

static void add(struct items *items, const struct item *one)
{
    if (one->bytes > 0 && array_reserve(&items->item, items->count + 1, &items->capacity, sizeof(*one), ITEMS_MAX) == 0)
        items->item[items->count++] = *one;
}

static uint64_t zero_bytes(const struct waste *w)
{
    uint64_t total = 0;

    for (unsigned e = 0; e < HEAP_TYPE_END; e++)
        total += w->zeros[e].bytes;
    return total;
}

static const char *simple_name(const char *class)
{
    const char *dot = strrchr(class, '.');

    return dot ? dot + 1 : class;
}

static void collect(const struct waste_view *v, struct items *items)
{
    const struct heap *h = v->waste->h;

    add(items, &(struct item){"duplicate strings", "", "", v->waste->strings.bytes});
    add(items, &(struct item){"duplicate arrays", "", "", v->waste->arrays.bytes});
    add(items, &(struct item){"zero-filled arrays", "", "", zero_bytes(v->waste)});
    for (uint32_t t = 0; t < h->type_count; t++) {
        const struct collection_stats *s = &v->collections->stats[t];
        const char *class = simple_name(h->types[t].name);

        add(items, &(struct item){"equal ", class, "s", v->waste->box[t].bytes});
        add(items, &(struct item){"empty ", class, "s", s->empty_bytes});
        add(items, &(struct item){"", class, "s at most half full", s->sparse_bytes});
    }
    if (items->count > 1)
        qsort(items->item, items->count, sizeof(*items->item), most_first);
}

static void print_texts(const struct waste_view *v, FILE *out)
{
    const struct waste_kind *k = &v->waste->strings;
    char size[TEXT_SIZE_MAX], cut[60];

    if (k->top_count == 0 || k->top[0].lost < v->heap_bytes / TEXT_LEAST)
        return;
    fputs("             ", out);
    for (unsigned i = 0; i < k->top_count && i < TEXTS_SHOWN && k->top[i].lost >= v->heap_bytes / TEXT_LEAST; i++) {
        fprintf(out, "%s%u × \"%s\" ", i ? " · " : "", k->top[i].count,
                text_printable(k->top[i].text, cut, sizeof(cut)));
        fputs(text_format_size(k->top[i].lost, size), out);
    }
    fputs("\n", out);
}

void waste_report_print(const struct waste_view *v, FILE *out)
{
    struct items items = {0};
    char size[TEXT_SIZE_MAX];
    unsigned shown = 0;

    collect(v, &items);
    for (size_t i = 0; i < items.count && shown < SHOWN; i++) {
        const struct item *one = &items.item[i];

        if (one->bytes < v->heap_bytes / 100 * LEAST_PERCENT)
            break;
        fputs(shown++ ? " · " : "  WASTE      ", out);
        fputs(one->before, out);
        report_put(out, one->class);
        fprintf(out, "%s %s (%u %%)", one->behind, text_format_size(one->bytes, size),
                report_percent(one->bytes, v->heap_bytes));
    }
    if (shown)
        fputs("\n", out);
    print_texts(v, out);
    free(items.item);
}

static json_t *kind_json(const struct waste *w, const struct waste_kind *k)
{
    json_t *top = json_array();

    for (unsigned i = 0; i < k->top_count; i++) {
        const struct waste_content *c = &k->top[i];
        char hex[2 * 32 + 1];

        text_hex(c->data, c->data_size < 32 ? c->data_size : 32, hex);
        json_array_append_new(top, json_pack("{so so so so so}", "class", report_text(w->h->types[c->type].name),
                                             c->text ? "text" : "begins", report_text(c->text ? c->text : hex),
                                             "length", report_number(c->length), "count", report_number(c->count),
                                             "bytes", report_number(c->lost)));
    }
    return json_pack("{so so so}", "count", report_number(k->count), "bytes", report_number(k->bytes), "top", top);
}

static json_t *zeros_json(const struct waste *w)
{
    json_t *array = json_array();

    for (unsigned e = 0; e < HEAP_TYPE_END; e++)
        if (w->zeros[e].count)
            json_array_append_new(
                array, json_pack("{so so so}", "class", report_text(w->h->types[w->h->primitive[e]].name), "count",
                                 report_number(w->zeros[e].count), "bytes", report_number(w->zeros[e].bytes)));
    return array;
}

static json_t *boxes_json(const struct waste *w)
{
    json_t *array = json_array();

    for (uint32_t t = 0; t < w->h->type_count; t++)
        if (w->box[t].count)
            json_array_append_new(array, json_pack("{so so so so}", "class", report_text(w->h->types[t].name), "count",
                                                   report_number(w->box[t].count), "duplicates",
                                                   report_number(w->box[t].duplicates), "bytes",
                                                   report_number(w->box[t].bytes)));
    return array;
}

struct row {
    uint64_t bytes;
    uint32_t type;
};

static int larger_first(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->type < y->type ? -1 : x->type > y->type;
}

static json_t *collections_json(const struct collections *c)
{
    CLEANUP_FREE struct row *row = calloc(c->h->type_count + 1, sizeof(*row));
    json_t *array = json_array();
    size_t count = 0;

    for (uint32_t t = 0; row && t < c->h->type_count; t++)
        if (c->stats[t].count)
            row[count++] = (struct row){c->stats[t].empty_bytes + c->stats[t].sparse_bytes, t};
    if (count > 1)
        qsort(row, count, sizeof(*row), larger_first);
    for (size_t i = 0; i < count && i < ROWS_MAX; i++) {
        const struct collection_stats *s = &c->stats[row[i].type];

        json_array_append_new(array,
                              json_pack("{so so so so so so}", "class", report_text(c->h->types[row[i].type].name),
                                        "count", report_number(s->count), "empty_count", report_number(s->empty),
                                        "empty_bytes", report_number(s->empty_bytes), "sparse_count",
                                        report_number(s->sparse), "sparse_bytes", report_number(s->sparse_bytes)));
    }
    return array;
}

json_t *waste_report_json(const struct waste_view *v)
{
    const struct waste *w = v->waste;

    return json_pack("{so so so so so sb}", "duplicate_strings", kind_json(w, &w->strings), "duplicate_arrays",
                     kind_json(w, &w->arrays), "zero_arrays", zeros_json(w), "boxes", boxes_json(w), "collections",
                     collections_json(v->collections), "incomplete", w->incomplete);
}
