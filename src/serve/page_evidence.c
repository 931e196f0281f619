/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the manifests of a case, and the record of a kill among its objects.
 */
#include "serve/page_evidence.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

enum { RECORD_MAX = 1024 * 1024 };

DEFINE_CLEANUP(struct evidence *, evidence_free)

void evidence_free(struct evidence *v)
{
    if (!v)
        return;
    for (unsigned i = 0; i < v->count; i++) {
        manifest_done(&v->object[i]);
        free(v->json[i]);
    }
    buf_done(&v->record);
    free(v->id);
    free(v->namespace);
    free(v);
}

/* A manifest is anybody's: with the key of another case it would have us show what its reader may not see. */
static bool is_inside(const struct evidence *v, const char *key)
{
    size_t size = strlen(v->id);

    if (!text_starts(key, v->id) || (key[size] != '\0' && key[size] != '/'))
        return false;
    for (const char *part = key; part; part = strchr(part, '/')) {
        part += *part == '/';
        size = strcspn(part, "/");
        if (size == 0 || (size <= 2 && strspn(part, ".") >= size))
            return false;
    }
    return true;
}

static int take_manifest(void *ctx, const char *json, size_t size)
{
    struct evidence *v = ctx;

    v->total++;
    if (v->count == EVIDENCE_MAX)
        return 0;
    if (manifest_decode(json, size, &v->object[v->count], NULL) < 0) {
        v->broken++;
        return 0;
    }
    if (!is_inside(v, v->object[v->count].key)) {
        manifest_done(&v->object[v->count]);
        v->broken++;
        return 0;
    }
    if (!(v->json[v->count] = strndup(json, size))) {
        manifest_done(&v->object[v->count]);
        return -ENOMEM;
    }
    v->count++;
    return 0;
}

const struct manifest *evidence_find(const struct evidence *v, const char *kind)
{
    for (unsigned i = 0; i < v->count; i++)
        if (text_eq(v->object[i].kind, kind))
            return &v->object[i];
    return NULL;
}

const struct manifest *evidence_named(const struct evidence *v, const char *file)
{
    for (unsigned i = 0; i < v->count; i++)
        if (text_eq(text_base_name(v->object[i].key), file))
            return &v->object[i];
    return NULL;
}

bool evidence_is_record(const char *kind)
{
    return text_eq(kind, "oom-kill");
}

bool evidence_is_text(const char *kind)
{
    static const char *const kinds[] = {"thread-dump", "javacore",   "hs-err",       "class-histogram", "native-memory",
                                        "jvm-end",     "guard-case", "memory-stats", "oom-kill"};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (text_eq(kind, kinds[i]))
            return true;
    return false;
}

int evidence_url(const struct evidence *v, const struct manifest *object, struct buf *ret)
{
    int r = buf_add_text(ret, "/" REQUEST_OWN "case/");

    if (r == 0)
        r = url_add_path(ret, v->id);
    if (r == 0 && object)
        r = url_add_query(ret, "show", text_base_name(object->key));
    return r;
}

/* A record that the store does not give now is missing on the page, and among the objects all the same. */
static void load_record(struct serve *s, struct evidence *v)
{
    const struct manifest *m = evidence_find(v, "oom-kill");
    CLEANUP(preview_done) struct preview p = {0};

    if (!m || preview_load(s, m, RECORD_MAX, &p, NULL) < 0 || p.cut)
        return;
    why_read_kill(buf_text(&p.text), p.text.size, &v->kill);
    v->record = p.text;
    p = (struct preview){0};
}

static int fill(struct request *r, struct evidence *v, const char *id)
{
    struct err e = {0};
    int result;

    v->id = strdup(id);
    v->namespace = strndup(id, strcspn(id, "/"));
    if (!v->id || !v->namespace) {
        page_fail(r, 503, "Out of memory.");
        return -ECANCELED;
    }
    request_use_rights_to(r, id);
    v->rights = r->rights;
    if (!request_may(r, RIGHT_LIST))
        return -ECANCELED;
    result = catalogue_find_pin(r->serve->catalogue, id, &v->pinned, &e);
    if (result == 0)
        result = catalogue_manifests(r->serve->catalogue, id, take_manifest, v, &e);
    if (result == -FAULT_NO_OBJECT || (result == 0 && v->total == 0))
        page_fail(r, 404, "There is no such case.");
    else if (result < 0)
        page_fail_store(r, result, &e);
    else
        return 0;
    return -ECANCELED;
}

int evidence_open(struct request *r, const char *id, struct evidence **ret)
{
    CLEANUP(evidence_free_ptr) struct evidence *v = calloc(1, sizeof(*v));
    int result;

    assert(id && ret);
    if (!v) {
        page_fail(r, 503, "Out of memory.");
        return -ECANCELED;
    }
    if ((result = fill(r, v, id)) < 0)
        return result;
    load_record(r->serve, v);
    *ret = TAKE_PTR(v);
    return 0;
}
