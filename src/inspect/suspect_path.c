/* SPDX-License-Identifier: Apache-2.0
 *
 * The nodes by a search, the names of fields by reading the objects on all paths in one pass.
 */
#include "inspect/suspect_path.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "inspect/heap_objects.h"
#include "inspect/root_path.h"

struct way {
    struct heap *h;
    const struct heap_threads *threads;
    struct root_path path;
    char *field[ROOT_PATH_MAX]; /* through which node[i] refers to node[i + 1]; owned; NULL unknown */
};

struct ways {
    struct way *way;
    size_t count;
};

static void name_fields(struct way *w, uint32_t node, const struct heap_instance *o)
{
    for (size_t i = 0; i + 1 < w->path.count; i++)
        if (w->path.node[i] == node && !w->field[i])
            w->field[i] = heap_object_field_to(w->h, heap_type_of(w->h, node), o,
                                               heap_index_id(w->h->index, w->path.node[i + 1]));
}

static int on_object(void *ctx, uint32_t node, const struct heap_instance *o)
{
    struct ways *ways = ctx;

    for (size_t i = 0; i < ways->count; i++)
        name_fields(&ways->way[i], node, o);
    return 0;
}

static const char *type_name(const struct heap *h, uint32_t node)
{
    return h->types[heap_type_of(h, node)].name;
}

static const char *kind_name(unsigned char kind)
{
    static const struct {
        unsigned char kind;
        const char *name;
    } KINDS[] = {
        {HEAP_ROOT_JNI_GLOBAL, "JNI global"},        {HEAP_ROOT_JNI_LOCAL, "JNI local"},
        {HEAP_ROOT_JAVA_FRAME, "local of a thread"}, {HEAP_ROOT_NATIVE_STACK, "native stack"},
        {HEAP_ROOT_STICKY_CLASS, "system class"},    {HEAP_ROOT_THREAD_BLOCK, "thread block"},
        {HEAP_ROOT_MONITOR, "monitor in use"},       {HEAP_ROOT_THREAD, "thread"},
    };

    for (size_t k = 0; k < ARRAY_SIZE(KINDS); k++)
        if (KINDS[k].kind == kind)
            return KINDS[k].name;
    return "GC root";
}

static const struct heap_thread *thread_of(const struct heap_threads *t, uint32_t serial)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->thread[i].serial == serial)
            return &t->thread[i];
    return NULL;
}

/* "local of thread "http-8" in com.shop.Cart.add(Cart.java:61)"; malloc'ed. */
static char *root_text(const struct heap_threads *threads, const struct heap_root_record *root)
{
    const struct heap_thread *t = thread_of(threads, root->thread);
    uint32_t frame = root->frame - (t && t->out_of_memory); /* the frame of the error's constructor is counted */
    bool known = t && frame < t->frame_count;
    char *out;

    if (!t || root->kind == HEAP_ROOT_THREAD)
        return strdup(kind_name(root->kind));
    if (asprintf(&out, "%s of thread \"%s\"%s%s", root->kind == HEAP_ROOT_JNI_LOCAL ? "JNI local" : "local",
                 t->name ? t->name : "?", known ? " in " : "", known ? t->frames[frame] : "") < 0)
        return NULL;
    return out;
}

/* Of several roots a thread's local says most. */
char *heap_root_text(const struct heap *h, const struct heap_threads *threads, uint32_t node)
{
    const struct heap_root_record *best = NULL;

    for (size_t i = 0; i < h->root_count; i++) {
        const struct heap_root_record *root = &h->roots[i].record;

        if (h->roots[i].node == node && (!best || root->kind == HEAP_ROOT_JAVA_FRAME))
            best = root;
    }
    if (h->phd)
        return strdup("taken for a GC root");
    return best ? root_text(threads, best) : strdup("GC root");
}

/* One step: the object, and through what it refers to the next one. */
static char *step(struct way *w, size_t i)
{
    uint32_t node = w->path.node[i], class = heap_type_of_class(w->h, node);
    const char *name = class == HEAP_NONE ? type_name(w->h, node) : w->h->types[class].name;
    char *out = NULL;
    int r;

    if (i + 1 == w->path.count)
        r = asprintf(&out, "%s%s", class == HEAP_NONE ? "" : "class ", name);
    else if (class != HEAP_NONE) {
        CLEANUP_FREE char *field = heap_static_to(w->h, class, heap_index_id(w->h->index, w->path.node[i + 1]));

        r = asprintf(&out, "%s%s%s%s", field ? "static " : "class ", name, field ? "." : "", field ? field : "");
    } else if (w->h->types[heap_type_of(w->h, node)].element) {
        r = asprintf(&out, "%s", name);
    } else {
        r = asprintf(&out, "%s%s%s", name, w->field[i] ? "." : "", w->field[i] ? w->field[i] : "");
    }
    return r < 0 ? NULL : out;
}

/* The last static field on the way says where it hangs; without one, the root. */
static char *holder_of(struct way *w, char *const *path)
{
    char *out = NULL;

    for (size_t i = w->path.count - 1; i-- > 0;)
        if (text_starts(path[i], "static "))
            return asprintf(&out, "%s (%s)", path[i], type_name(w->h, w->path.node[i + 1])) < 0 ? NULL : out;
    CLEANUP_FREE char *root = heap_root_text(w->h, w->threads, w->path.node[0]);

    return !root || asprintf(&out, "%s (%s)", path[0], root) < 0 ? NULL : out;
}

static void way_done(struct way *w)
{
    for (size_t i = 0; i < ROOT_PATH_MAX; i++)
        free(w->field[i]);
}

static int read_fields(struct heap *h, struct ways *ways)
{
    const struct heap_object_events events = {.ctx = ways, .instance = on_object};
    CLEANUP_FREE uint32_t *nodes = calloc(ways->count * ROOT_PATH_MAX + 1, sizeof(*nodes));
    size_t count = 0;

    if (!nodes)
        return -ENOMEM;
    for (size_t i = 0; i < ways->count; i++)
        for (size_t j = 0; j + 1 < ways->way[i].path.count; j++)
            nodes[count++] = ways->way[i].path.node[j];
    return heap_objects_read(h, nodes, count, &events);
}

static int describe(struct way *w, char ***ret, size_t *ret_count)
{
    if (!(*ret = calloc(w->path.count + 1, sizeof(char *))))
        return -ENOMEM;
    for (size_t i = 0; i < w->path.count; i++)
        if (!((*ret)[(*ret_count)++] = step(w, i)))
            return -ENOMEM;
    return 0;
}

/* From the node up to its root, then turned round. */
static void find_way(struct way *w, const struct root_search *s, uint32_t node)
{
    struct root_path *p = &w->path;

    if (s->from[node] == HEAP_NONE)
        return;
    for (uint32_t n = node; n != w->h->objects && p->count < ROOT_PATH_MAX; n = s->from[n])
        p->node[p->count++] = n;
    for (size_t i = 0; i < p->count / 2; i++) {
        uint32_t other = p->node[i];

        p->node[i] = p->node[p->count - 1 - i];
        p->node[p->count - 1 - i] = other;
    }
}

int heap_path_texts(struct heap *h, const struct heap_threads *threads, const struct root_search *s, uint32_t node,
                    char ***ret, size_t *ret_count)
{
    struct way w = {.h = h, .threads = threads};
    int r = 0;

    find_way(&w, s, node);
    if (w.path.count > 0 && (r = read_fields(h, &(struct ways){&w, 1})) == 0)
        r = describe(&w, ret, ret_count);
    way_done(&w);
    return r;
}

/* --- the path that the objects of a group share --- */

/* What is the same step of two paths: the same class object, or an object of the same class. */
static uint64_t step_key(const struct way *w, size_t i)
{
    uint32_t node = w->path.node[i], type = heap_type_of(w->h, node);

    return type == w->h->class_type ? UINT64_C(1) << 32 | node : type;
}

/* The step that most of the ways take, which are together so far (count of steps); votes: how many. */
static uint64_t most_taken(const struct way *way, const bool *together, size_t ways, size_t step, unsigned *votes)
{
    uint64_t best = 0;

    *votes = 0;
    for (size_t i = 0; i < ways; i++) {
        unsigned same = 0;

        for (size_t j = 0; together[i] && way[i].path.count > step && j < ways; j++)
            same += together[j] && way[j].path.count > step && step_key(&way[j], step) == step_key(&way[i], step);
        if (same > *votes) {
            *votes = same;
            best = step_key(&way[i], step);
        }
    }
    return best;
}

/* The way that goes with at least half of all ways the farthest, cut to what they share. Without one the last, which is
 * the largest object's, whole. */
static struct way *share_path(struct way *way, size_t ways, unsigned *ret_percent)
{
    bool together[SUSPECT_SAMPLE + 1];
    struct way *first = &way[ways - 1];
    unsigned votes, sampled = 0;
    size_t steps = 0;

    *ret_percent = 0;
    for (size_t i = 0; i < ways; i++) {
        together[i] = way[i].path.count > 0;
        sampled += together[i];
    }
    for (; steps < ROOT_PATH_MAX; steps++) {
        uint64_t key = most_taken(way, together, ways, steps, &votes);

        if (votes == 0 || votes * 2 < sampled)
            break;
        *ret_percent = votes * 100 / sampled;
        for (size_t i = ways; i-- > 0;) {
            together[i] = together[i] && way[i].path.count > steps && step_key(&way[i], steps) == key;
            first = together[i] ? &way[i] : first;
        }
    }
    if (steps > 0)
        first->path.count = steps;
    return first;
}

/* --- all suspects --- */

static int find_ways(struct heap *h, const struct heap_threads *threads, const struct suspects *s, struct way *way)
{
    CLEANUP_FREE struct root_path *path = calloc(ROOT_PATHS_MAX, sizeof(*path));
    uint32_t target[ROOT_PATHS_MAX] = {0};
    size_t count = 0;
    int r;

    if (!path)
        return -ENOMEM;
    for (size_t i = 0; i < s->count; i++)
        for (unsigned j = 0; j < s->suspect[i].sample_count; j++)
            target[count++] = s->suspect[i].sample[j];
    if ((r = root_paths_find(h, target, count, path)) < 0)
        return r;
    for (size_t i = 0; i < count; i++)
        way[i] = (struct way){.h = h, .threads = threads, .path = path[i]};
    return read_fields(h, &(struct ways){way, count});
}

static int set_path(struct suspect *s, struct way *way)
{
    struct way *w = s->node == HEAP_NONE ? share_path(way, s->sample_count, &s->path_percent) : way;
    int r;

    if (w->path.count == 0)
        return 0;
    if ((r = describe(w, &s->path, &s->path_count)) == 0 && !(s->holder = holder_of(w, s->path)))
        r = -ENOMEM;
    return r;
}

int suspect_paths_find(struct heap *h, const struct heap_threads *threads, struct suspects *s)
{
    CLEANUP_FREE struct way *ways = calloc(ROOT_PATHS_MAX, sizeof(*ways));
    struct way *way = ways;
    int r = ways ? 0 : -ENOMEM;

    static_assert(SUSPECTS_MAX * (SUSPECT_SAMPLE + 1) <= ROOT_PATHS_MAX, "a target for each object of a sample");
    if (r == 0 && s->count > 0)
        r = find_ways(h, threads, s, ways);
    for (size_t i = 0; i < s->count && r == 0; way += s->suspect[i++].sample_count)
        r = set_path(&s->suspect[i], way);
    for (size_t i = 0; ways && i < ROOT_PATHS_MAX; i++)
        way_done(&ways[i]);
    return r;
}
