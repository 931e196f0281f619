/* SPDX-License-Identifier: Apache-2.0
 *
 * Somebody may remove the case while the answer is stored: what was put is then taken back, so that no folder is left
 * that holds nothing but an answer.
 */
#include "serve/answer_store.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/serve_sink.h"
#include "ship/case_facts.h"

static int no_memory(struct err *e)
{
    return err_set(e, -ENOMEM, "out of memory");
}

static int put(struct serve *s, struct sink *sink, const char *key, const struct small_object *what, struct err *e)
{
    CLEANUP(buf_done) struct buf name = {0};
    struct small_object o = *what;
    int r;

    if (case_answer_key(key, what->key, &name) < 0)
        return no_memory(e);
    o.key = buf_text(&name);
    if ((r = sink->ops->put(sink, &o, e)) == 0)
        serve_stored(s, o.key, o.size);
    return r;
}

static void take_back(struct serve *s, struct sink *sink, const struct found_answer *a)
{
    struct err ignored;

    for (unsigned i = 0; i < a->count; i++) {
        CLEANUP(buf_done) struct buf name = {0};

        if (case_answer_key(a->key, a->object[i].key, &name) == 0 &&
            sink->ops->remove(sink, buf_text(&name), &ignored) == 0)
            serve_removed(s, buf_text(&name));
    }
}

static int put_all(struct serve *s, struct sink *sink, const struct found_answer *a, struct err *e)
{
    struct object_info info;
    int r = sink->ops->stat(sink, a->key, &info, e);

    for (unsigned i = 0; r == 0 && i < a->count; i++)
        r = put(s, sink, a->key, &a->object[i], e);
    if (r == 0 && (r = sink->ops->stat(sink, a->key, &info, e)) == -FAULT_NO_OBJECT)
        take_back(s, sink, a);
    return r;
}

/* A folder has a disk, of which each namespace has its share. */
static int claim(struct serve *s, const struct found_answer *a, struct upload_claim *ret, struct err *e)
{
    CLEANUP_FREE char *namespace = case_namespace(a->key);
    struct upload_asked asked = {.namespace = namespace};
    int r;

    for (unsigned i = 0; i < a->count; i++)
        asked.size += a->object[i].size;
    if (!s->uploads)
        return 0;
    if (!namespace)
        return no_memory(e);
    if ((r = upload_room_claim(uploads_room(s->uploads), &asked, ret, e)) < 0)
        return r;
    return upload_room_write(uploads_room(s->uploads), ret, asked.size, e);
}

int answer_store(struct serve *s, const struct found_answer *a, struct err *e)
{
    struct upload_claim room = {0};
    struct sink *sink = NULL;
    int r = claim(s, a, &room, e);

    if (r == 0 && (r = serve_sink_take(s, &sink, e)) == 0)
        r = put_all(s, sink, a, e);
    serve_sink_give(s, sink);
    if (s->uploads)
        upload_room_release(uploads_room(s->uploads), &room, r == 0);
    return r;
}

void answers_remove(struct serve *s, const char *key)
{
    const char *name = text_base_name(key);
    struct sink *sink = NULL;
    struct err ignored;

    if ((!strstr(name, ".hprof") && !strstr(name, ".phd")) || text_ends(name, MANIFEST_SUFFIX) ||
        serve_sink_take(s, &sink, &ignored) < 0)
        return;
    for (size_t i = 0; CASE_ANSWERS[i]; i++) {
        CLEANUP(buf_done) struct buf answer = {0};

        if (case_answer_key(key, CASE_ANSWERS[i], &answer) == 0 &&
            sink->ops->remove(sink, buf_text(&answer), &ignored) == 0)
            serve_removed(s, buf_text(&answer));
    }
    serve_sink_give(s, sink);
}

int answer_is_stored(struct serve *s, const char *key, const char *name, struct err *e)
{
    CLEANUP(buf_done) struct buf answer = {0};
    struct object_info info;
    struct sink *sink;
    int r;

    if (case_answer_key(key, name, &answer) < 0)
        return no_memory(e);
    if ((r = serve_sink_take(s, &sink, e)) < 0)
        return r;
    r = sink->ops->stat(sink, buf_text(&answer), &info, e);
    serve_sink_give(s, sink);
    return r == -FAULT_NO_OBJECT ? 0 : r == 0 ? 1 : r;
}
