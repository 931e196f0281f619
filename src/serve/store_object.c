/* SPDX-License-Identifier: Apache-2.0
 *
 * A HEAD of the object, and its manifest. What may be a manifest itself is read whole: rights depend on it.
 */
#include "serve/store_object.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/root.h"

static void make_etag(const struct object_info *info, struct root_object *o)
{
    if (*info->etag && strlen(info->etag) + 3 <= sizeof(o->etag) && !strpbrk(info->etag, "\"\\"))
        snprintf(o->etag, sizeof(o->etag), "\"%.200s\"", info->etag);
    else
        snprintf(o->etag, sizeof(o->etag), "\"%" PRIx64 "-%" PRIx64 "\"", info->size, (uint64_t)info->modified_ns);
}

/* Nothing is refused because a manifest is missing, malformed, or cannot be read. */
static void describe(struct gateway *g, const char *key, struct store_object *o)
{
    CLEANUP(buf_done) struct buf beside = {0}, text = {.ceiling = MANIFEST_MAX};
    struct err ignored;

    if (buf_printf(&beside, "%s" MANIFEST_SUFFIX, key) < 0 || gateway_load(g, buf_text(&beside), &text, &ignored) < 0 ||
        manifest_decode(buf_text(&text), text.size, &o->object.manifest, NULL) < 0)
        return;
    o->object.described = o->object.manifest.stored_size == o->info.size;
}

/* The digest of this very version: the one in its own metadata, or the manifest's, whose object nobody replaces. */
static void take_digest(struct store_object *o)
{
    struct manifest *m = &o->object.manifest;

    if (*o->info.sha256)
        snprintf(m->stored_sha256, sizeof(m->stored_sha256), "%s", o->info.sha256);
    o->object.sure = o->object.described || *o->info.sha256;
}

int store_object_open(struct gateway *g, const char *key, struct store_object *ret, struct err *e)
{
    struct store_object o = {.object = {.fd = -1}, .text = {.ceiling = MANIFEST_MAX}};
    struct manifest own = {0};
    int r;

    assert(g && key && ret);
    if (root_hides(key))
        return err_set(e, -FAULT_NO_OBJECT, "'%.200s' is hidden", key);
    if ((r = gateway_stat(g, key, &o.info, e)) < 0)
        return r;
    o.object.size = o.info.size;
    o.object.modified_ns = o.info.modified_ns;
    make_etag(&o.info, &o.object);
    if (text_ends(key, MANIFEST_SUFFIX) && o.info.size <= MANIFEST_MAX) {
        if ((r = gateway_load(g, key, &o.text, e)) < 0) {
            store_object_done(&o);
            return r;
        }
        if (o.text.size != o.info.size) /* replaced since */
            buf_done(&o.text);
        o.object.is_manifest = manifest_decode(buf_text(&o.text), o.text.size, &own, NULL) == 0;
        manifest_done(&own);
    }
    if (!o.object.is_manifest)
        describe(g, key, &o);
    take_digest(&o);
    *ret = o;
    return 0;
}

void store_object_done(struct store_object *o)
{
    root_object_done(&o->object);
    buf_done(&o->text);
}
