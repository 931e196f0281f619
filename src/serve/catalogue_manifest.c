/* SPDX-License-Identifier: Apache-2.0
 *
 * Single manifests: read again after a change, or given as they are in the store.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strv.h"
#include "base/text.h"
#include "serve/catalogue_suspect.h"
#include "ship/case_facts.h"

int catalogue_open_sink(struct catalogue *c, struct err *e)
{
    return c->sink ? 0 : sink_open(&c->store, &c->sink, e);
}

int catalogue_done_with_sink(struct catalogue *c, int result)
{
    if (result < 0) {
        sink_close(c->sink);
        c->sink = NULL;
    }
    return result;
}

/* 1: it is there, 0: it is not. */
static int load_manifest(struct catalogue *c, const char *key, struct buf *ret, struct object_info *ret_info,
                         struct err *e)
{
    CLEANUP(buf_done) struct buf name = {0};
    void *connection = NULL;
    int r = buf_printf(&name, "%s" MANIFEST_SUFFIX, key);

    if (r < 0)
        return err_set(e, r, "out of memory");
    r = c->sink->ops->load(c->sink, &connection, buf_text(&name), ret, e);
    c->sink->ops->load_end(connection);
    if (r == 0)
        r = c->sink->ops->stat(c->sink, key, ret_info, e);
    return r == -FAULT_NO_OBJECT ? 0 : r < 0 ? r : 1;
}

static int renew(struct catalogue *c, const char *key, struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = MANIFEST_MAX};
    CLEANUP(manifest_done) struct manifest m = {0};
    struct object_info info = {0};
    struct err why = {0};
    int r = load_manifest(c, key, &text, &info, e), decoded;

    if (r < 0 && r != -EMSGSIZE)
        return catalogue_done_with_sink(c, r);
    decoded = r == -EMSGSIZE ? r : r == 1 ? manifest_decode(buf_text(&text), text.size, &m, &why) : 0;
    if (decoded == -ENOMEM)
        return decoded;
    struct index_object o = {.key = key,
                             .manifest = decoded == 0 ? &m : NULL,
                             .broken = decoded == 0           ? NULL
                                       : decoded == -EMSGSIZE ? e->msg
                                                              : why.msg,
                             .stored_size = info.size,
                             .file_size = text.size};
    int begun = index_begin(c->index, e);

    if (begun < 0)
        return begun;
    begun = r == 0 ? index_drop(c->index, key, e) : index_put(c->index, &o, e);
    bool changed = c->index->changes > 0;

    begun = begun == 0 ? index_commit(c->index, e) : index_rollback(c->index, begun);
    if (begun == 0 && changed)
        catalogue_bump(c);
    if (begun == 0 && o.manifest && r == 1 && c->found)
        c->found(c->found_ctx, key, o.manifest, 0);
    return begun;
}

static int renew_pin(struct catalogue *c, const char *key, struct err *e)
{
    CLEANUP_FREE char *id = strndup(key, strlen(key) - strlen(CASE_PIN_SUFFIX));
    struct object_info info;
    int there = c->sink->ops->stat(c->sink, key, &info, e), r;

    if (!id)
        return err_set(e, -ENOMEM, "out of memory");
    if (there < 0 && there != -FAULT_NO_OBJECT)
        return catalogue_done_with_sink(c, there);
    if ((r = index_begin(c->index, e)) < 0)
        return r;
    r = index_pin(c->index, id, there == 0, e);
    r = r == 0 ? index_commit(c->index, e) : index_rollback(c->index, r);
    catalogue_bump(c);
    return r;
}

int catalogue_look_again(struct catalogue *c, const char *key, struct err *e)
{
    size_t size = strlen(key), suffix = strlen(MANIFEST_SUFFIX);
    int r = catalogue_open_sink(c, e);

    if (r < 0)
        return r;
    if (text_ends(key, CASE_PIN_SUFFIX))
        return renew_pin(c, key, e);
    if (suspect_is_key(key) && (r = suspect_renew(c, key, e)) < 0)
        return r;
    if (case_is_answer(key)) /* no manifest, though it ends like one */
        return 0;
    r = renew(c, key, e);
    if (r < 0 || !text_ends(key, MANIFEST_SUFFIX) || size == suffix)
        return r;
    CLEANUP_FREE char *object = strndup(key, size - suffix);

    return object ? renew(c, object, e) : err_set(e, -ENOMEM, "out of memory");
}

/* The keys of a case's objects, the most telling first. */
static int keys_of_case(struct catalogue *c, const char *id, struct strv *ret, struct err *e)
{
    CLEANUP(sql_finish) sqlite3_stmt *s = NULL;
    int r = sql_prepare(index_read_begin(c->index),
                        "SELECT o.key FROM cases c JOIN objects o ON o.id BETWEEN c.id << 20 AND (c.id << 20) + 1048575"
                        " WHERE c.path = ? ORDER BY o.rank DESC, o.id LIMIT ?",
                        &s, e);

    if (r == 0) {
        sql_text(s, 1, id);
        sql_int(s, 2, CATALOGUE_MANIFESTS_MAX);
    }
    while (r == 0 && (r = sql_step(s, e)) == 1)
        r = strv_add(ret, sql_column_text(s, 0));
    sql_finish(&s);
    s = NULL;
    index_read_end(c->index);
    if (r == -FAULT_CORRUPT)
        catalogue_damaged(c);
    return r == -ENOMEM ? err_set(e, r, "out of memory") : r;
}

static int give(struct catalogue *c, void **connection, const char *key,
                int (*fn)(void *ctx, const char *json, size_t size), void *ctx, struct err *e)
{
    CLEANUP(buf_done) struct buf name = {0}, text = {.ceiling = MANIFEST_MAX};
    int r = buf_printf(&name, "%s" MANIFEST_SUFFIX, key);

    if (r == 0)
        r = c->reader->ops->load(c->reader, connection, buf_text(&name), &text, e);
    return r < 0 ? r : fn(ctx, buf_text(&text), text.size);
}

int catalogue_manifests(struct catalogue *c, const char *id, int (*fn)(void *ctx, const char *json, size_t size),
                        void *ctx, struct err *e)
{
    CLEANUP(strv_done) struct strv keys = {0};
    void *connection = NULL;
    int r = keys_of_case(c, id, &keys, e);

    assert(fn);
    if (r < 0)
        return r;
    if (keys.count == 0)
        return err_set(e, -FAULT_NO_OBJECT, "there is no such case");
    pthread_mutex_lock(&c->reader_lock);
    r = c->reader ? 0 : sink_open(&c->store, &c->reader, e);
    for (size_t i = 0; r >= 0 && i < keys.count; i++)
        if ((r = give(c, &connection, keys.item[i], fn, ctx, e)) == -FAULT_NO_OBJECT && i + 1 < keys.count)
            r = 0; /* removed a moment ago */
    if (c->reader) {
        c->reader->ops->load_end(connection);
        if (r < 0 && r != -FAULT_NO_OBJECT) {
            sink_close(c->reader);
            c->reader = NULL;
        }
    }
    pthread_mutex_unlock(&c->reader_lock);
    return r < 0 ? r : 0;
}
