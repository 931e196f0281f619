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
#include "ship/manifest.h"

struct collecting {
    struct strv *keys;
    const char *id;
    size_t id_size;
    bool folder;
    uint64_t bytes;
};

static bool is_of_case(const struct collecting *c, const char *key)
{
    if (strncmp(key, c->id, c->id_size) != 0)
        return false;
    key += c->id_size;
    return c->folder ? *key == '/' : !*key || text_eq(key, MANIFEST_SUFFIX);
}

static int on_entry(void *ctx, const struct sink_listing_entry *entry)
{
    struct collecting *c = ctx;

    if (!is_of_case(c, entry->key))
        return 0;
    c->bytes += entry->size;
    return strv_add(c->keys, entry->key);
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

int case_keys(struct sink *sink, const char *id, bool folder, struct strv *ret, uint64_t *ret_bytes, struct err *e)
{
    CLEANUP(strv_done) struct strv keys = {0};
    struct collecting c = {&keys, id, strlen(id), folder, 0};
    const char *slash = strrchr(id, '/');
    CLEANUP_FREE char *prefix = folder ? NULL : strndup(id, slash ? (size_t)(slash - id) + 1 : 0);
    int r;

    if (folder && asprintf(&prefix, "%s/", id) < 0)
        prefix = NULL;
    r = prefix ? sink->ops->list(sink, prefix, on_entry, &c, e) : -ENOMEM;
    if (r == 0) {
        if (keys.count > 0)
            qsort(keys.item, keys.count, sizeof(*keys.item), compare);
        r = manifests_first(&keys, ret);
    }
    *ret_bytes = c.bytes;
    return r == -ENOMEM ? err_set(e, r, "out of memory") : r;
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
