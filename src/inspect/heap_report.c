/* SPDX-License-Identifier: Apache-2.0
 *
 * Order of the analysis, and its text.
 */
#include "inspect/heap_report.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/java_name.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/thread.h"
#include "inspect/class_order.h"
#include "inspect/memory_report.h"
#include "inspect/report_parts.h"
#include "inspect/size_report.h"
#include "inspect/suspect_path.h"
#include "inspect/waste_report.h"

enum {
    SURVEY_STACK = 256 * 1024,
    LITTLE = 100 /* a hundredth of the heap is not worth a word */
};

/* r: of what uses large arrays. */
static int no_room(struct err *e, int r, const char *what)
{
    return r == -ENOMEM ? err_set(e, r, "out of memory for %s", what)
                        : err_set(e, r, "no room in the temporary file for %s: %s", what, strerror(-r));
}

static int find_sets(struct heap_report *r, struct err *e)
{
    CLEANUP_FREE struct set_mark *mark = NULL;
    struct set_marks marks = {.sets = (uint32_t)r->threads.count};
    int result = heap_threads_marks(r->heap, &r->threads, &mark, &marks.count);

    marks.mark = mark;
    if (result == 0)
        result = heap_sets_find(r->heap, &r->retained, &marks, &r->sets);
    if (result == 0)
        heap_threads_order(&r->threads, r->sets.marked);
    if (result == 0)
        result = loader_groups_find(r->heap, &r->sets, &r->loader_groups);
    return result < 0 ? no_room(e, result, "the sizes of classes") : 0;
}

/* What is in the objects, by one pass over the dump. */
struct survey {
    struct heap_report *r;
    pthread_t thread;
    bool beside; /* on a thread of its own */
    bool tree_taken;
    int result, tree_result;
};

/* By whichever thread has nothing else left to do. */
static void find_tree(struct survey *s)
{
    if (!__atomic_exchange_n(&s->tree_taken, true, __ATOMIC_RELAXED))
        s->tree_result = merged_tree_find(s->r->heap, &s->r->retained, &s->r->tree);
}

static void *survey(void *ctx)
{
    struct survey *s = ctx;
    struct heap_report *r = s->r;

    s->result = waste_begin(&r->waste, r->heap);
    if (s->result == 0)
        s->result = collections_begin(&r->collections, r->heap, &r->retained);
    if (s->result == 0)
        s->result = references_begin(&r->references, r->heap, &r->retained);
    if (s->result == 0) {
        const struct survey_part parts[] = {waste_part(&r->waste), collections_part(&r->collections),
                                            references_part(&r->references)};

        s->result = heap_survey(r->heap, &r->retained, parts, ARRAY_SIZE(parts));
    }
    if (s->result == 0)
        s->result = waste_end(&r->waste);
    if (s->result == 0) {
        collections_end(&r->collections);
        references_end(&r->references);
    }
    find_tree(s);
    return NULL;
}

static int ask_tree(struct heap_report *r, struct err *e)
{
    int result = heap_threads_find(r->heap, &r->threads, e);

    if (result == 0)
        result = find_sets(r, e);
    if (result == 0 && (result = suspects_find(r->heap, &r->retained, &r->suspects)) < 0)
        no_room(e, result, "the suspects");
    return result;
}

/* What is asked of the dominator tree, and beside it what is asked of the dump; paths once that has given back its
 * memory. */
static int answer(struct heap_report *r, struct err *e)
{
    struct survey s = {.r = r};
    int result;

    s.beside = thread_start(&s.thread, SURVEY_STACK, survey, &s) == 0;
    result = ask_tree(r, e);
    find_tree(&s);
    if (s.beside)
        pthread_join(s.thread, NULL);
    else
        survey(&s);
    if (result == 0 && s.result < 0)
        result = no_room(e, s.result, "the contents of objects");
    if (result == 0 && s.tree_result < 0)
        result = err_set(e, s.tree_result, "out of memory for the tree");
    if (result == 0 && (result = suspect_paths_find(r->heap, &r->threads, &r->suspects)) < 0)
        no_room(e, result, "the paths of suspects");
    return result;
}

int heap_report_make(struct heap_report *ret, const void *data, size_t size, const struct heap_limits *limits,
                     struct err *e)
{
    struct heap_report r = {.dump_bytes = size};
    int result;

    assert(ret);
    result = heap_load_within(data, size, limits, &r.heap, e);
    if (result == 0)
        result = retained_find(r.heap, &r.retained, e);
    if (result == 0 && (result = android_heaps_find(r.heap, &r.retained, &r.android)) < 0)
        no_room(e, result, "the heaps of Android");
    if (result == 0)
        result = answer(&r, e);
    if (result < 0) {
        heap_report_done(&r);
        return result;
    }
    *ret = r;
    return 0;
}

void heap_report_done(struct heap_report *r)
{
    waste_done(&r->waste);
    references_done(&r->references);
    collections_done(&r->collections);
    merged_tree_done(&r->tree);
    heap_sets_done(&r->sets);
    suspects_done(&r->suspects);
    heap_threads_done(&r->threads);
    retained_done(&r->retained);
    heap_free(r->heap);
    r->heap = NULL;
}

static void print_head(const struct heap_report *r, FILE *out)
{
    char size[TEXT_SIZE_MAX], heap[TEXT_SIZE_MAX], rest[TEXT_SIZE_MAX], time[CLOCK_TEXT_MAX];

    report_put(out, r->name);
    if (!r->heap->phd) { /* a portable heap dump doesn't say when it was made */
        clock_format(r->heap->reader.time_ms * 1000000, time);
        fprintf(out, " · %.10s %.8sZ", time, time + 11);
    }
    fprintf(out, " · heap dump of %s · %" PRIu32 " objects in %s, unreachable %s\n",
            text_format_size(r->dump_bytes, size), r->heap->objects - r->retained.unreachable_count,
            text_format_size(r->retained.reachable, heap), text_format_size(r->retained.unreachable, rest));
    if (r->heap->reader.cut) {
        fputs("  The dump is not whole: ", out);
        report_put(out, r->heap->reader.cut);
        fputs("\n", out);
    }
    if (r->heap->dump_shown)
        fprintf(out, "  The file has %u heap dumps: this is number %u, the last that is whole.\n", r->heap->dumps,
                r->heap->dump_shown);
    if (r->heap->phd)
        fputs("  A portable heap dump has no GC roots: classes and what nothing refers to are taken for them. It has "
              "neither fields nor contents.\n",
              out);
}

/* The first frame that is not the runtime's says more than where in a collection it happened. */
static const char *telling_frame(const struct heap_thread *t)
{
    for (size_t i = 0; i < t->frame_count; i++)
        if (!java_name_is_runtime(t->frames[i]))
            return t->frames[i];
    return t->frame_count ? t->frames[0] : NULL;
}

static void print_victim(const struct heap_report *r, FILE *out)
{
    const struct heap_thread *t = r->threads.count ? &r->threads.thread[0] : NULL;

    if (!t || !t->out_of_memory)
        return;
    fputs("  Thread \"", out);
    report_put(out, t->name);
    fputs("\" ran out of memory", out);
    if (telling_frame(t)) {
        fputs(" at ", out);
        report_put(out, telling_frame(t));
    }
    fputs("\n", out);
}

static void print_suspect(const struct heap_report *r, size_t index, const struct heap_report_view *view, FILE *out)
{
    const struct suspect *s = &r->suspects.suspect[index];
    const struct heap_type_info *types = r->heap->types;
    char size[TEXT_SIZE_MAX];

    fprintf(out, "  %sSUSPECT %zu%s  ", view->bold ? "\033[1m" : "", index + 1, view->bold ? "\033[0m" : "");
    if (s->node == HEAP_NONE) {
        fprintf(out, "%" PRIu32 " × ", s->count);
        report_put(out, types[s->type].name);
    } else {
        report_put(out, s->holder ? s->holder : types[s->type].name);
    }
    fprintf(out, " %s %s (%u %%) alive", s->count > 1 ? "keep" : "keeps", text_format_size(s->bytes, size),
            report_percent(s->bytes, r->retained.reachable));
    if (s->content != HEAP_NONE) {
        fprintf(out, ": %" PRIu64 " × ", s->content_count);
        report_put(out, types[s->content].name);
    }
    fputs("\n", out);
    for (size_t i = 0; i < s->path_count; i++) {
        fputs(i == 0 ? "             " : " → ", out);
        report_put(out, s->path[i]);
    }
    if (s->path_count && s->node == HEAP_NONE && s->path_percent)
        fprintf(out, " (%u %% of them)", s->path_percent);
    else if (s->path_count && s->node == HEAP_NONE)
        fputs(" (the largest of them)", out);
    if (s->path_count)
        fputs("\n", out);
}

static void print_classes(const struct heap_report *r, const struct heap_report_view *view, FILE *out)
{
    CLEANUP_FREE uint32_t *order = class_order(r->heap);
    char size[TEXT_SIZE_MAX];

    if (!order)
        return;
    fputs("  CLASSES    ", out);
    for (uint32_t i = 0; i < r->heap->type_count && i < view->top && r->heap->types[order[i]].bytes; i++) {
        fputs(i ? " · " : "", out);
        report_put(out, r->heap->types[order[i]].name);
        fprintf(out, " %s (%" PRIu64 ")", text_format_size(r->heap->types[order[i]].bytes, size),
                r->heap->types[order[i]].count);
    }
    fputs("\n", out);
}

static const char *loader_name(const struct heap_report *r, uint32_t i)
{
    return heap_loader_name(r->heap, &r->sets.loader[i]);
}

static const char *class_name(const struct heap_report *r, uint32_t i)
{
    return r->heap->types[i].name;
}

/* Packages that hold classes; those above them say the same again. */
static const char *package_name(const struct heap_report *r, uint32_t i)
{
    const struct heap_package *p = &r->sets.package[i];

    return !p->has_objects ? NULL : *p->name ? p->name : "(none)";
}

struct row_kind {
    const char *title;
    const struct set_size *first;
    size_t stride, count;
    const char *(*name)(const struct heap_report *r, uint32_t i); /* NULL: not shown */
};

static void print_rows(const struct heap_report *r, const struct row_kind *kind, unsigned top, FILE *out)
{
    CLEANUP_FREE uint32_t *order = set_order(kind->first, kind->stride, kind->count);
    char size[TEXT_SIZE_MAX];
    unsigned shown = 0;

    for (size_t i = 0; order && i < kind->count && shown < top; i++) {
        const struct set_size *set = (const void *)((const char *)kind->first + order[i] * kind->stride);
        const char *name = kind->name(r, order[i]);

        if (!name || set->retained < r->retained.reachable / LITTLE)
            continue;
        fprintf(out, shown++ ? " · " : "  %-11s", kind->title);
        report_put(out, name);
        fprintf(out, " %s (%u %%)", text_format_size(set->retained, size),
                report_percent(set->retained, r->retained.reachable));
    }
    if (shown)
        fputs("\n", out);
}

static void print_retained(const struct heap_report *r, unsigned top, FILE *out)
{
    const struct heap_sets *s = &r->sets;

    print_rows(r, &(struct row_kind){"RETAINED", s->type, sizeof(*s->type), r->heap->type_count, class_name}, top, out);
    if (s->package_count)
        print_rows(
            r, &(struct row_kind){"PACKAGES", &s->package->size, sizeof(*s->package), s->package_count, package_name},
            top, out);
    if (s->loader_count && !r->heap->phd) /* which does not say whose a class is */
        print_rows(r, &(struct row_kind){"LOADERS", &s->loader->size, sizeof(*s->loader), s->loader_count, loader_name},
                   top, out);
}

static void print_threads(const struct heap_report *r, FILE *out)
{
    char size[TEXT_SIZE_MAX];

    for (size_t i = 0; i < r->threads.count; i++) {
        const struct heap_thread *t = &r->threads.thread[i];

        fputs("\n  \"", out);
        report_put(out, t->name);
        fprintf(out, "\" keeps %s alive%s\n", text_format_size(t->retained, size),
                t->out_of_memory ? ", ran out of memory" : "");
        for (size_t f = 0; f < t->frame_count; f++) {
            fputs("      at ", out);
            report_put(out, t->frames[f]);
            fputs("\n", out);
        }
    }
}

void heap_report_print(const struct heap_report *r, const struct heap_report_view *view, FILE *out)
{
    print_head(r, out);
    print_victim(r, out);
    for (size_t i = 0; i < r->suspects.count; i++)
        print_suspect(r, i, view, out);
    if (r->suspects.count == 0)
        fprintf(out, "  No object keeps more than %d %% of the heap alive.\n", SUSPECT_PERCENT);
    waste_report_print(&(struct waste_view){&r->waste, &r->collections, r->retained.reachable}, out);
    references_print(&r->references, r->retained.reachable, out);
    loader_groups_print(r->heap, &r->loader_groups, out);
    print_classes(r, view, out);
    android_heaps_print(&r->android, out);
    print_retained(r, view->top, out);
    size_report_print(r->heap, out);
    if (view->threads)
        print_threads(r, out);
}
