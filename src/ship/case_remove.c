/* SPDX-License-Identifier: Apache-2.0
 *
 * One case out of a store.
 */
#include "ship/case_remove.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "ship/case_facts.h"
#include "ship/case_list.h"
#include "ship/manifest.h"

struct collecting {
    struct case_objects *found;
    const char *id;
    size_t id_size;
    bool folder;
};

/* What stands behind the key of a case that has no folder. */
static bool is_suffix(const char *rest)
{
    bool is = !*rest || text_eq(rest, MANIFEST_SUFFIX);

    for (size_t i = 0; !is && CASE_ANSWERS[i]; i++)
        is = *rest == '.' && text_eq(rest + 1, CASE_ANSWERS[i]);
    return is;
}

static bool is_of_case(const struct collecting *c, const char *key)
{
    if (strncmp(key, c->id, c->id_size) != 0)
        return false;
    key += c->id_size;
    return c->folder ? *key == '/' : is_suffix(key);
}

static int on_entry(void *ctx, const struct sink_listing_entry *entry)
{
    struct collecting *c = ctx;

    if (!is_of_case(c, entry->key))
        return 0;
    c->found->bytes += entry->size;
    return strv_add(&c->found->keys, entry->key);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted: "x.json" beside "x" is a manifest. */
static bool is_manifest(const struct strv *keys, const char *key)
{
    CLEANUP_FREE char *object = NULL;

    if (!text_ends(key, MANIFEST_SUFFIX))
        return false;
    object = strndup(key, strlen(key) - strlen(MANIFEST_SUFFIX));
    return object && bsearch(&object, keys->item, keys->count, sizeof(*keys->item), compare);
}

static int manifests_first(const struct strv *keys, struct strv *ret)
{
    int r = 0;

    for (int wanted = 1; wanted >= 0; wanted--)
        for (size_t i = 0; r == 0 && i < keys->count; i++)
            if (is_manifest(keys, keys->item[i]) == wanted)
                r = strv_add(ret, keys->item[i]);
    return r;
}

bool case_is_folder(const char *id)
{
    const char *cause;
    size_t cause_size;
    int64_t time_ns;

    return case_folder_parse(text_base_name(id), &time_ns, &cause, &cause_size);
}

int case_objects_list(struct sink *sink, const char *id, bool folder, struct case_objects *ret, struct err *e)
{
    CLEANUP(case_objects_done) struct case_objects found = {0};
    struct collecting c = {&found, id, strlen(id), folder};
    const char *slash = strrchr(id, '/');
    CLEANUP_FREE char *prefix = folder ? NULL : strndup(id, slash ? (size_t)(slash - id) + 1 : 0);
    int r;

    if (folder && asprintf(&prefix, "%s/", id) < 0)
        prefix = NULL;
    r = prefix ? sink->ops->list(sink, prefix, on_entry, &c, e) : -ENOMEM;
    if (r == 0) {
        if (found.keys.count > 0)
            qsort(found.keys.item, found.keys.count, sizeof(*found.keys.item), compare);
        r = manifests_first(&found.keys, &ret->keys);
        ret->bytes = found.bytes;
    }
    return r == -ENOMEM ? err_set(e, r, "out of memory") : r;
}

void case_objects_done(struct case_objects *o)
{
    strv_done(&o->keys);
    *o = (struct case_objects){0};
}

static char *pin_of(const char *id)
{
    struct buf key = {0};

    return buf_printf(&key, "%s" CASE_PIN_SUFFIX, id) < 0 ? NULL : buf_take(&key);
}

int case_remove(struct sink *sink, const struct strv *keys, void (*removed)(void *ctx, const char *key), void *ctx,
                struct err *e)
{
    int r = 0;

    assert(sink && keys);
    for (size_t i = 0; r == 0 && i < keys->count; i++)
        if ((r = sink->ops->remove(sink, keys->item[i], e)) == 0 && removed)
            removed(ctx, keys->item[i]);
    return r;
}

int case_pin(struct sink *sink, const char *id, bool pinned, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_FREE char *pin = pin_of(id);
    char now[CLOCK_TEXT_MAX];

    if (!pin || buf_printf(&text, "{\"pinned\": \"%s\"}\n", clock_format(clock_wall_ns(), now)) < 0)
        return err_set(e, -ENOMEM, "out of memory");
    const struct small_object object = {
        .key = pin, .data = buf_text(&text), .size = text.size, .content_type = "application/json"};

    return pinned ? sink->ops->put(sink, &object, e) : sink->ops->remove(sink, pin, e);
}
