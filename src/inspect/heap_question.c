/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of an answer is made of its JSON.
 */
#include "inspect/heap_question.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "inspect/heap_objects.h"
#include "inspect/report_parts.h"

uint32_t question_node(const struct heap *h, const char *text)
{
    char *end;
    unsigned long long id;

    if (!text_starts(text, "0x"))
        return HEAP_NONE;
    errno = 0;
    id = strtoull(text + 2, &end, 16);
    return errno || *end || end == text + 2 ? HEAP_NONE : heap_index_find(h->index, id);
}

json_t *question_object(const struct heap *h, uint32_t node)
{
    uint32_t class = heap_type_of_class(h, node);
    json_t *of = class == HEAP_NONE ? NULL : json_pack("{so}", "of", report_text(h->types[class].name));
    json_t *name;

    if (!of)
        return report_text(h->types[heap_type_of(h, node)].name);
    name = json_sprintf("class %s", json_string_value(json_object_get(of, "of")));
    json_decref(of);
    return name;
}

static uint64_t number(const json_t *o, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(o, name));
}

static void put(FILE *out, const json_t *o, const char *name)
{
    report_put(out, json_string_value(json_object_get(o, name)));
}

/* Two spaces for each level; children after their parent, in the list's order. */
static void print_paths_below(const json_t *nodes, size_t parent, unsigned depth, FILE *out)
{
    uint64_t all = number(json_array_get(nodes, 0), "count");

    for (size_t i = parent + 1; i < json_array_size(nodes); i++) {
        const json_t *n = json_array_get(nodes, i);
        const char *field = json_string_value(json_object_get(n, "field"));

        if (number(n, "parent") != parent)
            continue;
        fprintf(out, "  %3u %% %9" PRIu64 "  %*s", report_percent(number(n, "count"), all), number(n, "count"),
                (int)(2 * depth), "");
        if (field) {
            report_put(out, field);
            fputs(": ", out);
        }
        put(out, n, "object");
        if (json_object_get(n, "root")) {
            fputs(" (", out);
            put(out, n, "root");
            fputs(")", out);
        }
        fputs("\n", out);
        print_paths_below(nodes, i, depth + 1, out);
    }
}

static void print_paths(const json_t *a, FILE *out)
{
    const json_t *nodes = json_object_get(a, "nodes");
    uint64_t reached = number(json_array_get(nodes, 0), "count"), wanted = number(a, "count");

    put(out, a, "of");
    fprintf(out, ": %" PRIu64 " of %" PRIu64 " with a path from a GC root without weak references\n", reached, wanted);
    print_paths_below(nodes, 0, 0, out);
}

static void print_tree(const json_t *a, FILE *out)
{
    const json_t *rows = json_object_get(a, "children"), *row;
    uint64_t all = number(a, "heap_bytes"), count = number(a, "count");
    char size[TEXT_SIZE_MAX], own[TEXT_SIZE_MAX];
    size_t i;

    put(out, a, "object");
    fprintf(out, " keeps %s (%u %%) alive, takes %s itself, dominates %" PRIu64 " at once\n",
            text_format_size(number(a, "retained_bytes"), size), report_percent(number(a, "retained_bytes"), all),
            text_format_size(number(a, "bytes"), own), count);
    json_array_foreach(rows, i, row)
    {
        fprintf(out, "  %10s (%2u %%)  ", text_format_size(number(row, "retained_bytes"), size),
                report_percent(number(row, "retained_bytes"), all));
        put(out, row, "object");
        fputs("  ", out);
        put(out, row, "id");
        fputs("\n", out);
    }
    if (count > json_array_size(rows))
        fprintf(out, "  and %" PRIu64 " more: %s\n", count - json_array_size(rows),
                text_format_size(number(a, "rest_bytes"), size));
}

static void print_strings(const json_t *a, FILE *out)
{
    const json_t *rows = json_object_get(a, "matches"), *row, *step;
    size_t i, j;

    fprintf(out, "%" PRIu64 " of %" PRIu64 " texts match%s\n", number(a, "count"), number(a, "read"),
            json_is_true(json_object_get(a, "complete")) ? "" : ", and not all were read: it took too long");
    json_array_foreach(rows, i, row)
    {
        fputs("  ", out);
        put(out, row, "id");
        fputs("  \"", out);
        put(out, row, "text");
        fputs("\"\n      ", out);
        json_array_foreach(json_object_get(row, "path"), j, step)
        {
            fputs(j ? " → " : "", out);
            report_put(out, json_string_value(step));
        }
        fputs("\n", out);
    }
}

int heap_question_answer(struct heap_report *r, const struct heap_question *q, FILE *out, struct err *e)
{
    json_auto_t *answer = NULL;
    int result = q->strings && r->heap->phd ? err_set(e, -FAULT_USAGE, "a portable heap dump has no texts")
                 : q->path                  ? question_path(r, q, &answer, e)
                 : q->tree                  ? question_tree(r, q, &answer, e)
                                            : question_strings(r, q, &answer, e);

    assert(heap_question_asked(q));
    if (result < 0)
        return result;
    if (!answer)
        return err_set(e, -ENOMEM, "out of memory");
    if (q->json)
        return json_dumpf(answer, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 || putc('\n', out) == EOF
                   ? err_set(e, -EIO, "cannot write the answer")
                   : 0;
    if (q->path)
        print_paths(answer, out);
    else if (q->tree)
        print_tree(answer, out);
    else
        print_strings(answer, out);
    return 0;
}
