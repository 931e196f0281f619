/* SPDX-License-Identifier: Apache-2.0
 *
 * Expat calls in. Refuses DTDs, so there are no entities to expand.
 */
#include "store/xml_walk.h"

#include <errno.h>
#include <expat.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
    XML_MAX = 16 * 1024 * 1024,
    DEPTH_MAX = 16,
    TEXT_MAX = 64 * 1024, /* of one element: S3's Error repeats the canonical request */
    PATH_SIZE = 512
};

struct walk {
    XML_Parser parser;
    xml_element_fn element;
    void *ctx;
    const char *root; /* what the outermost element must be: "Error" */
    char path[PATH_SIZE];
    size_t path_size;
    unsigned depth;
    struct buf text; /* of the innermost element, since its last child */
    int error;
};

static void fail(struct walk *w, int error)
{
    w->error = error;
    XML_StopParser(w->parser, XML_FALSE);
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct walk *w = ctx;
    const char *colon = strrchr(name, ':');
    size_t size;

    (void)attributes;
    if (w->error)
        return; /* expat ends an empty element even when its start has stopped the parser */
    name = colon ? colon + 1 : name;
    size = strlen(name);
    if (w->depth == DEPTH_MAX || w->path_size + size + 2 > sizeof(w->path) ||
        (w->depth == 0 && !text_eq(name, w->root))) {
        fail(w, -EBADMSG);
        return;
    }
    w->path[w->path_size] = '/';
    memcpy(w->path + w->path_size + 1, name, size + 1);
    w->path_size += size + 1;
    w->depth++;
    buf_clear(&w->text);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct walk *w = ctx;
    int r;

    (void)name;
    if (w->error)
        return;
    r = w->element(w->ctx, w->path, buf_text(&w->text));
    if (r < 0) {
        fail(w, r);
        return;
    }
    while (w->path[--w->path_size] != '/')
        ;
    w->path[w->path_size] = '\0';
    w->depth--;
    buf_clear(&w->text);
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int size)
{
    struct walk *w = ctx;
    int r;

    if (w->error)
        return;
    r = buf_add(&w->text, text, (size_t)size);
    if (r < 0)
        fail(w, r == -ENOMEM ? r : -EBADMSG);
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid,
                               int internal)
{
    (void)name;
    (void)sysid;
    (void)pubid;
    (void)internal;
    fail(ctx, -EBADMSG);
}

int xml_walk(const char *xml, size_t size, const char *root, xml_element_fn element, void *ctx)
{
    struct walk w = {.element = element, .ctx = ctx, .root = root, .text.ceiling = TEXT_MAX};
    int r = 0;

    /* White space keeps the connection alive while a store completes an upload; some send it before the XML. */
    for (; size > 0 && (*xml == ' ' || *xml == '\n' || *xml == '\r'); xml++)
        size--;
    if (size == 0 || size > XML_MAX)
        return -EBADMSG;
    w.parser = XML_ParserCreate(NULL);
    if (!w.parser)
        return -ENOMEM;
    XML_SetUserData(w.parser, &w);
    XML_SetElementHandler(w.parser, on_start, on_end);
    XML_SetCharacterDataHandler(w.parser, on_text);
    XML_SetStartDoctypeDeclHandler(w.parser, on_doctype);
    if (XML_Parse(w.parser, xml, (int)size, XML_TRUE) != XML_STATUS_OK)
        r = w.error ? w.error : XML_GetErrorCode(w.parser) == XML_ERROR_NO_MEMORY ? -ENOMEM : -EBADMSG;
    XML_ParserFree(w.parser);
    buf_done(&w.text);
    return r;
}
