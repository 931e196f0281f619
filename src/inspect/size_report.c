/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums over the classes.
 */
#include "inspect/size_report.h"

#include <inttypes.h>

#include "base/text.h"
#include "inspect/report_parts.h"

enum { SHOWN = 3 };

struct formula {
    uint64_t all, bytes; /* of all objects; of those by the formula */
    size_t classes;
    const struct heap_type_info *most[SHOWN];
    unsigned count; /* of most */
};

static void add(struct formula *f, const struct heap_type_info *t)
{
    unsigned at = f->count < SHOWN ? f->count++ : SHOWN;

    f->bytes += t->bytes;
    f->classes++;
    for (; at > 0 && f->most[at - 1]->bytes < t->bytes; at--)
        if (at < SHOWN)
            f->most[at] = f->most[at - 1];
    if (at < SHOWN)
        f->most[at] = t;
}

static struct formula sum(const struct heap *h)
{
    struct formula f = {0};

    for (size_t i = 0; i < h->type_count; i++) {
        const struct heap_type_info *t = &h->types[i];

        f.all += t->bytes;
        if (t->count > 0 && !t->element && !t->measured)
            add(&f, t);
    }
    return f;
}

void size_report_print(const struct heap *h, FILE *out)
{
    const char *how = h->phd ? "as their classes' records say" : "by the usual formula";
    struct formula f = sum(h);
    char size[TEXT_SIZE_MAX];

    fprintf(out, "  SIZES      references %u bytes, headers %u, of arrays %u; ", h->reference_bytes, h->header_bytes,
            h->array_base);
    if (f.classes == 0) {
        fputs("all instances by the distance to the next object\n", out);
        return;
    }
    fprintf(out, "%s: %s (%u %%) in %zu classes", how, text_format_size(f.bytes, size), report_percent(f.bytes, f.all),
            f.classes);
    for (unsigned i = 0; i < f.count; i++) {
        fputs(i == 0 ? ", most " : ", ", out);
        report_put(out, f.most[i]->name);
        fprintf(out, " %s", text_format_size(f.most[i]->bytes, size));
    }
    fputs("\n", out);
}

json_t *size_report_json(const struct heap *h)
{
    struct formula f = sum(h);

    return json_pack("{so so so so so}", "reference_bytes", report_number(h->reference_bytes), "header_bytes",
                     report_number(h->header_bytes), "array_header_bytes", report_number(h->array_base),
                     "formula_classes", report_number(f.classes), "formula_bytes", report_number(f.bytes));
}
