/* SPDX-License-Identifier: Apache-2.0
 *
 * Read and written again at once. Between both another could write the manifest, too: shippers do so only where there
 * is none, and other servers write the same.
 */
#include "ship/manifest_summary.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "ship/manifest.h"

static int no_memory(struct err *e)
{
    return err_set(e, -ENOMEM, "out of memory");
}

/* A manifest with the same summary, as our own encoder writes it. NULL without memory. */
static json_t *encoded(struct manifest *m, const struct summary *s)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = MANIFEST_MAX};

    if (manifest_set_summary(m, s) < 0 || manifest_encode(m, &text) < 0)
        return NULL;
    return json_read_object(text.data, text.size, MANIFEST_MAX);
}

static int copy_field(json_t *to, const json_t *from, const char *name)
{
    json_t *value = json_object_get(from, name);

    return value ? json_object_set(to, name, value) : 0;
}

int manifest_with_summary(const struct buf *json, const struct summary *s, struct buf *ret, struct err *e)
{
    CLEANUP(manifest_done) struct manifest m = {0};
    json_auto_t *root = NULL, *ours = NULL;
    CLEANUP_FREE char *text = NULL;
    int r = manifest_decode(buf_text(json), json->size, &m, e);

    assert(s && ret);
    if (r < 0)
        return r;
    if (m.summary || m.top)
        return err_set(e, -EALREADY, "it has a summary");
    if (!(root = json_read_object(json->data, json->size, MANIFEST_MAX)) || !(ours = encoded(&m, s)) ||
        copy_field(root, ours, "summary") < 0 || copy_field(root, ours, "top") < 0 ||
        !(text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12))))
        return no_memory(e);
    return buf_add_text(ret, text) < 0 || buf_add(ret, "\n", 1) < 0 ? no_memory(e) : 0;
}

static int load(struct sink *sink, const char *name, struct buf *ret, struct err *e)
{
    void *connection = NULL;
    int r = sink->ops->load(sink, &connection, name, ret, e);

    sink->ops->load_end(connection);
    return r;
}

int manifest_store_summary(struct sink *sink, const char *key, const struct summary *s, struct err *e)
{
    CLEANUP(buf_done) struct buf name = {0}, before = {.ceiling = MANIFEST_MAX}, after = {.ceiling = MANIFEST_MAX};
    struct object_info info;
    struct err ignored;
    int r;

    if (buf_printf(&name, "%s" MANIFEST_SUFFIX, key) < 0)
        return no_memory(e);
    if ((r = load(sink, buf_text(&name), &before, e)) < 0 || (r = manifest_with_summary(&before, s, &after, e)) < 0)
        return r;
    const struct small_object object = {
        .key = buf_text(&name), .content_type = "application/json", .data = after.data, .size = after.size};

    if ((r = sink->ops->put(sink, &object, e)) < 0)
        return r;
    if ((r = sink->ops->stat(sink, key, &info, e)) == -FAULT_NO_OBJECT)
        sink->ops->remove(sink, buf_text(&name), &ignored); /* the case was removed meanwhile */
    return r;
}
