/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer: sentence, facts, suspects.
 */
#include "inspect/analysis.h"

#include <assert.h>
#include <inttypes.h>

#include "base/java_name.h"
#include "base/json_read.h"
#include "base/text.h"
#include "inspect/report_parts.h"

const char *analysis_text(const json_t *object, const char *name)
{
    return json_read_text(object, name);
}

uint64_t analysis_number(const json_t *object, const char *name)
{
    return json_read_count(object, name);
}

bool analysis_known(const json_t *a)
{
    return text_eq(analysis_text(a, "schema"), "salvage.analysis/1");
}

static void write_size(struct html *h, uint64_t bytes)
{
    char text[TEXT_SIZE_MAX];

    html_text(h, text_format_size(bytes, text));
}

/* "static com.shop.Cart.CACHE (java.util.HashMap)", "550 × java.lang.Class" */
static void write_holder(struct html *h, const json_t *s)
{
    if (*analysis_text(s, "holder") && analysis_number(s, "count") <= 1)
        html_text(h, analysis_text(s, "holder"));
    else if (analysis_number(s, "count") <= 1)
        html_text(h, analysis_text(s, "class"));
    else
        html_printf(h, "%" PRIu64 " × %s", analysis_number(s, "count"), analysis_text(s, "class"));
}

static void write_keeps(struct html *h, const json_t *s, uint64_t reachable)
{
    html_text(h, analysis_number(s, "count") > 1 ? " keep " : " keeps ");
    write_size(h, analysis_number(s, "retained_bytes"));
    html_printf(h, " (%u %%) alive", report_percent(analysis_number(s, "retained_bytes"), reachable));
}

void analysis_html_sentence(struct html *h, const json_t *a)
{
    const json_t *s = json_array_get(json_object_get(a, "suspects"), 0);

    if (!s) {
        html_text(h, "No object keeps more than a tenth of the heap alive");
        return;
    }
    write_holder(h, s);
    write_keeps(h, s, analysis_number(a, "reachable_bytes"));
}

/* The first frame that is not the runtime's says more than where in a collection it happened. */
static const char *telling_frame(const json_t *frames)
{
    size_t i;
    json_t *frame;

    json_array_foreach(frames, i, frame)
    {
        const char *text = json_string_value(frame);

        if (text && !java_name_is_runtime(text))
            return text;
    }
    return json_string_value(json_array_get(frames, 0));
}

void analysis_html_victim(struct html *h, const json_t *a)
{
    const json_t *threads = json_object_get(a, "threads");
    size_t i;
    json_t *thread;

    json_array_foreach(threads, i, thread)
    {
        const char *frame = telling_frame(json_object_get(thread, "frames"));

        if (!json_is_true(json_object_get(thread, "out_of_memory")))
            continue;
        html_begin_class(h, "p", "lead");
        html_printf(h, "Thread \"%s\" ran out of memory", analysis_text(thread, "name"));
        if (frame) {
            html_text(h, " at ");
            html_element(h, "code", NULL, frame);
        }
        html_text(h, ".");
        html_end(h);
        return;
    }
}

/* Objects whose size is not measured; Android's heaps. */
static void facts_of_sizes(struct html *h, const json_t *a)
{
    const json_t *sizes = json_object_get(a, "sizes"), *heaps = json_object_get(a, "heaps"), *heap;
    char size[TEXT_SIZE_MAX];
    size_t i;

    if (analysis_number(sizes, "formula_classes") > 0) {
        html_fact_begin(h, "Sizes", NULL);
        html_printf(
            h, "%s in %" PRIu64 " classes %s, all others by the distance to the next object",
            text_format_size(analysis_number(sizes, "formula_bytes"), size), analysis_number(sizes, "formula_classes"),
            json_is_true(json_object_get(a, "assumed_roots")) ? "as their records say" : "by the usual formula");
        html_fact_end(h);
    }
    if (json_array_size(heaps) == 0)
        return;
    html_fact_begin(h, "Heaps", NULL);
    json_array_foreach(heaps, i, heap)
    {
        html_text(h, i > 0 ? " · " : "");
        html_text(h, analysis_text(heap, "heap"));
        html_printf(h, " %s", text_format_size(analysis_number(heap, "bytes"), size));
    }
    html_fact_end(h);
}

void analysis_html_facts(struct html *h, const json_t *a)
{
    char size[TEXT_SIZE_MAX], garbage[TEXT_SIZE_MAX];

    html_begin_class(h, "dl", "facts");
    html_fact(h, "Dump", NULL, analysis_text(a, "name"));
    if (*analysis_text(a, "time"))
        html_fact(h, "Made", NULL, analysis_text(a, "time"));
    html_fact(h, "Size", NULL, text_format_size(analysis_number(a, "dump_bytes"), size));
    html_fact_begin(h, "Heap", NULL);
    html_printf(h, "%s in %" PRIu64 " objects", text_format_size(analysis_number(a, "reachable_bytes"), size),
                analysis_number(a, "objects"));
    html_fact_end(h);
    html_fact_begin(h, "Garbage", NULL);
    html_printf(h, "%s in %" PRIu64 " objects that nothing refers to",
                text_format_size(analysis_number(a, "unreachable_bytes"), garbage),
                analysis_number(a, "unreachable_objects"));
    html_fact_end(h);
    facts_of_sizes(h, a);
    html_end(h);
    if (*analysis_text(a, "cut")) {
        html_begin_class(h, "p", "note");
        html_printf(h, "The dump is not whole: %s", analysis_text(a, "cut"));
        html_end(h);
    }
    if (json_is_true(json_object_get(a, "assumed_roots"))) {
        html_begin_class(h, "p", "note");
        html_text(h, "The dump has no GC roots: classes and what nothing refers to are taken for them.");
        html_end(h);
    }
}

void analysis_html_path(struct html *h, const json_t *path)
{
    size_t i;
    json_t *step;

    if (json_array_size(path) == 0)
        return;
    html_begin_class(h, "ol", "path");
    html_attr(h, "aria-label", "Path from a root of the garbage collector");
    json_array_foreach(path, i, step)
    {
        html_begin(h, "li");
        html_element(h, "code", NULL, json_string_value(step));
        html_end(h);
    }
    html_end(h);
}

static void write_suspect(struct html *h, const json_t *s, uint64_t reachable)
{
    const json_t *content = json_object_get(s, "content");

    html_begin_class(h, "article", "suspect");
    html_begin(h, "h3");
    write_holder(h, s);
    write_keeps(h, s, reachable);
    html_end(h);
    if (json_is_object(content)) {
        html_begin(h, "p");
        html_printf(h, "Most of it: %" PRIu64 " × ", analysis_number(content, "count"));
        html_element(h, "code", NULL, analysis_text(content, "class"));
        html_end(h);
    }
    if (*analysis_text(s, "point_class")) {
        html_begin(h, "p");
        html_text(h, "It accumulates in ");
        html_element(h, "code", NULL, analysis_text(s, "point_class"));
        html_text(h, ", which keeps ");
        write_size(h, analysis_number(s, "point_bytes"));
        html_text(h, ".");
        html_end(h);
    }
    analysis_html_path(h, json_object_get(s, "path"));
    html_end(h);
}

void analysis_html_suspects(struct html *h, const json_t *a)
{
    const json_t *suspects = json_object_get(a, "suspects");
    size_t i;
    json_t *s;

    html_begin(h, "section");
    html_element(h, "h2", NULL, "Suspects");
    if (json_array_size(suspects) == 0)
        html_element(h, "p", NULL, "No object keeps more than a tenth of the heap alive.");
    json_array_foreach(suspects, i, s)
    {
        if (i >= ANALYSIS_SUSPECTS)
            break;
        write_suspect(h, s, analysis_number(a, "reachable_bytes"));
    }
    html_end(h);
}

void analysis_html_sections(struct html *h, const json_t *a)
{
    analysis_html_suspects(h, a);
    analysis_html_tree(h, a);
    analysis_html_waste(h, a);
    analysis_html_threads(h, a);
    analysis_html_classes(h, a);
}
