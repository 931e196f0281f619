/* SPDX-License-Identifier: Apache-2.0
 *
 * Text says only what is much.
 */
#include "inspect/memory_report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "inspect/report_parts.h"

enum { WAITING_MUCH = 1000, LITTLE = 100, LOADERS_MUCH = 3, CLASSES_SHOWN = 3, ROWS_MAX = 1000 };

/* Types by how many of their objects wait. */
static uint32_t *waiting_order(const struct references *f)
{
    size_t count = f->h->type_count;
    struct set_size *size = calloc(count + 1, sizeof(*size));
    uint32_t *order;

    for (size_t t = 0; size && t < count; t++)
        size[t].retained = f->waiting_of[t];
    order = size ? set_order(size, sizeof(*size), count) : NULL;
    free(size);
    return order;
}

static void print_finalizers(const struct references *f, uint64_t heap_bytes, FILE *out)
{
    CLEANUP_FREE uint32_t *order = waiting_order(f);
    char size[TEXT_SIZE_MAX];

    if (!order || (f->waiting < WAITING_MUCH && f->waiting_retained < heap_bytes / LITTLE) || f->waiting == 0)
        return;
    fprintf(out, "  FINALIZER  %" PRIu64 " objects wait for their finalizers and keep %s alive:", f->waiting,
            text_format_size(f->waiting_retained, size));
    for (size_t i = 0; i < f->h->type_count && i < CLASSES_SHOWN && f->waiting_of[order[i]]; i++) {
        fprintf(out, "%s%" PRIu64 " × ", i ? " · " : " ", f->waiting_of[order[i]]);
        report_put(out, f->h->types[order[i]].name);
    }
    fputs("\n", out);
}

static void print_buffers(const struct references *f, uint64_t heap_bytes, FILE *out)
{
    uint64_t bytes = f->allocated.bytes > f->direct.bytes ? f->allocated.bytes : f->direct.bytes;
    char size[TEXT_SIZE_MAX], mapped[TEXT_SIZE_MAX];

    if (bytes >= heap_bytes / LITTLE && f->direct.count)
        fprintf(out, "  NATIVE     %" PRIu64 " direct buffers have %s outside of the heap\n", f->direct.count,
                text_format_size(bytes, size));
    if (f->mapped.bytes >= heap_bytes / LITTLE && f->mapped.count)
        fprintf(out, "  MAPPED     %" PRIu64 " buffers map %s of files\n", f->mapped.count,
                text_format_size(f->mapped.bytes, mapped));
}

void references_print(const struct references *f, uint64_t heap_bytes, FILE *out)
{
    print_finalizers(f, heap_bytes, out);
    print_buffers(f, heap_bytes, out);
}

json_t *finalizers_json(const struct references *f)
{
    CLEANUP_FREE uint32_t *order = waiting_order(f);
    json_t *classes = json_array();

    for (size_t i = 0; order && i < f->h->type_count && i < ROWS_MAX && f->waiting_of[order[i]]; i++)
        json_array_append_new(classes, json_pack("{so so}", "class", report_text(f->h->types[order[i]].name), "count",
                                                 report_number(f->waiting_of[order[i]])));
    return json_pack("{so so so so}", "count", report_number(f->finalizers), "waiting", report_number(f->waiting),
                     "waiting_retained_bytes", report_number(f->waiting_retained), "classes", classes);
}

static json_t *totals_json(const struct buffer_totals *t)
{
    return json_pack("{so so}", "count", report_number(t->count), "bytes", report_number(t->bytes));
}

json_t *buffers_json(const struct references *f)
{
    return json_pack("{so so so}", "direct", totals_json(&f->direct), "mapped", totals_json(&f->mapped), "allocated",
                     totals_json(&f->allocated));
}

void loader_groups_print(const struct heap *h, const struct loader_groups *g, FILE *out)
{
    char size[TEXT_SIZE_MAX];

    for (size_t i = 0; i < g->count; i++) {
        const struct loader_group *one = &g->group[i];

        if (one->loaders < LOADERS_MUCH)
            continue;
        fprintf(out, "  REDEPLOYED %" PRIu32 " × ", one->loaders);
        report_put(out, h->types[one->type].name);
        fputs(" with classes of the same name (", out);
        report_put(out, h->types[one->class].name);
        fprintf(out, "%s) keep %s alive\n", one->classes > 1 ? ", …" : "", text_format_size(one->retained, size));
    }
}

json_t *loader_groups_json(const struct heap *h, const struct loader_groups *g)
{
    json_t *array = json_array();

    for (size_t i = 0; i < g->count; i++)
        json_array_append_new(
            array, json_pack("{so so so so so}", "loader", report_text(h->types[g->group[i].type].name), "loaders",
                             report_number(g->group[i].loaders), "class", report_text(h->types[g->group[i].class].name),
                             "classes", report_number(g->group[i].classes), "retained_bytes",
                             report_number(g->group[i].retained)));
    return array;
}
