/* SPDX-License-Identifier: Apache-2.0
 *
 * The nodes by a search (inspect/root_search.h), the names of fields by reading the objects on it.
 */
#include "inspect/suspect_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "inspect/heap_objects.h"

struct way {
    struct heap *h;
    const struct heap_threads *threads;
    uint32_t node[SUSPECT_PATH_MAX];
    size_t count;
    char *field[SUSPECT_PATH_MAX]; /* through which node[i] refers to node[i + 1]; owned; NULL unknown */
};

static int on_object(void *ctx, uint32_t node, const struct heap_instance *o)
{
    struct way *w = ctx;

    for (size_t i = 0; i + 1 < w->count; i++)
        if (w->node[i] == node && !w->field[i])
            w->field[i] =
                heap_object_field_to(w->h, heap_type_of(w->h, node), o, heap_index_id(w->h->index, w->node[i + 1]));
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
    return best ? root_text(threads, best) : strdup("GC root");
}

/* One step: the object, and through what it refers to the next one. */
static char *step(struct way *w, size_t i)
{
    uint32_t node = w->node[i], class = heap_type_of_class(w->h, node);
    const char *name = class == HEAP_NONE ? type_name(w->h, node) : w->h->types[class].name;
    char *out = NULL;
    int r;

    if (i + 1 == w->count)
        r = asprintf(&out, "%s%s", class == HEAP_NONE ? "" : "class ", name);
    else if (class != HEAP_NONE) {
        CLEANUP_FREE char *field = heap_static_to(w->h, class, heap_index_id(w->h->index, w->node[i + 1]));

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

    for (size_t i = w->count - 1; i-- > 0;)
        if (text_starts(path[i], "static "))
            return asprintf(&out, "%s (%s)", path[i], type_name(w->h, w->node[i + 1])) < 0 ? NULL : out;
    CLEANUP_FREE char *root = heap_root_text(w->h, w->threads, w->node[0]);

    return !root || asprintf(&out, "%s (%s)", path[0], root) < 0 ? NULL : out;
}

static void way_done(struct way *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->field[i]);
}

/* From the node up to its root, then turned round. */
static void find_way(struct way *w, const struct root_search *s, uint32_t node)
{
    if (s->from[node] == HEAP_NONE)
        return;
    for (uint32_t n = node; n != w->h->objects && w->count < SUSPECT_PATH_MAX; n = s->from[n])
        w->node[w->count++] = n;
    for (size_t i = 0; i < w->count / 2; i++) {
        uint32_t other = w->node[i];

        w->node[i] = w->node[w->count - 1 - i];
        w->node[w->count - 1 - i] = other;
    }
}

static int describe(struct way *w, char ***ret, size_t *ret_count)
{
    int r = heap_objects_read(w->h, w->node, w->count, &(struct heap_object_events){.ctx = w, .instance = on_object});

    if (r < 0)
        return r;
    if (!(*ret = calloc(w->count + 1, sizeof(char *))))
        return -ENOMEM;
    for (size_t i = 0; i < w->count; i++)
        if (!((*ret)[(*ret_count)++] = step(w, i)))
            return -ENOMEM;
    return 0;
}

int heap_path_texts(struct heap *h, const struct heap_threads *threads, const struct root_search *s, uint32_t node,
                    char ***ret, size_t *ret_count)
{
    struct way w = {.h = h, .threads = threads};
    int r = 0;

    find_way(&w, s, node);
    if (w.count > 0)
        r = describe(&w, ret, ret_count);
    way_done(&w);
    return r;
}

int suspect_path_find(struct heap *h, const struct heap_threads *threads, const struct root_search *search,
                      struct suspect *s)
{
    struct way w = {.h = h, .threads = threads};
    int r;

    find_way(&w, search, s->point);
    if (w.count == 0)
        return 0;
    r = describe(&w, &s->path, &s->path_count);
    if (r == 0 && !(s->holder = holder_of(&w, s->path)))
        r = -ENOMEM;
    way_done(&w);
    return r;
}
