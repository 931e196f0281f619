/* SPDX-License-Identifier: Apache-2.0
 *
 * The analysis where there is one, else the manifests until one of them names classes.
 */
#include "ship/case_suspect_read.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/case_facts.h"
#include "ship/case_remove.h"

enum { MANIFESTS = 10 };

/* What can't be read suspects nothing: 0 then, 1 if there is a suspect. */
static int read_analysis(struct sink *sink, void **connection, const char *key, char out[SUSPECT_MAX], struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = SUSPECT_JSON_MAX};
    int r = sink->ops->load(sink, connection, key, &text, e);

    if (r == -FAULT_NO_OBJECT || r == -EMSGSIZE || r == -FAULT_DENIED) /* who may list may read manifests alone */
        return 0;
    if (r < 0)
        return r;
    return case_suspect_of_analysis(buf_text(&text), text.size, out) == 0 && *out;
}

static int read_manifest(struct sink *sink, void **connection, const char *key, char out[SUSPECT_MAX], struct err *e)
{
    CLEANUP(buf_done) struct buf text = {.ceiling = MANIFEST_MAX};
    CLEANUP(manifest_done) struct manifest m = {0};
    int r = sink->ops->load(sink, connection, key, &text, e);
    const char *class;

    if (r == -FAULT_NO_OBJECT || r == -EMSGSIZE)
        return 0;
    if (r < 0)
        return r;
    if (manifest_decode(buf_text(&text), text.size, &m, NULL) < 0 || !(class = case_class(&m)))
        return 0;
    text_printable(class, out, SUSPECT_MAX);
    return 1;
}

/* analyses: of the first pass over the keys, else manifests. */
static int read_any(struct sink *sink, const struct strv *keys, bool analyses, char out[SUSPECT_MAX], struct err *e)
{
    void *connection = NULL;
    unsigned read = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < keys->count && read < MANIFESTS; i++) {
        const char *key = keys->item[i];

        if (analyses ? !text_ends(key, "/" CASE_ANALYSIS) : !text_ends(key, MANIFEST_SUFFIX) || case_is_answer(key))
            continue;
        read++;
        r = (analyses ? read_analysis : read_manifest)(sink, &connection, key, out, e);
    }
    sink->ops->load_end(connection);
    return r;
}

int case_suspect_read(struct sink *sink, const char *id, bool folder, char out[SUSPECT_MAX], struct err *e)
{
    CLEANUP(case_objects_done) struct case_objects objects = {0};
    int r = case_objects_list(sink, id, folder, &objects, e);

    assert(out);
    *out = '\0';
    if (r < 0)
        return r;
    if ((r = read_any(sink, &objects.keys, true, out, e)) == 0)
        r = read_any(sink, &objects.keys, false, out, e);
    return r < 0 ? r : 0;
}
