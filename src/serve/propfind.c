/* SPDX-License-Identifier: Apache-2.0
 *
 * By expat, with namespaces. A DOCTYPE is refused, so there are no entities to expand.
 */
#include "serve/propfind.h"

#include <assert.h>
#include <errno.h>
#include <expat.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define SEPARATOR '\n' /* between a namespace and a name */

static const char DAV[] = "DAV:\n";

const struct property_row PROPERTY_ROWS[] = {{PROPERTY_TYPE, "resourcetype"},
                                             {PROPERTY_SIZE, "getcontentlength"},
                                             {PROPERTY_MODIFIED, "getlastmodified"},
                                             {PROPERTY_CREATED, "creationdate"},
                                             {PROPERTY_ETAG, "getetag"},
                                             {PROPERTY_NAME, "displayname"},
                                             {PROPERTY_CONTENT_TYPE, "getcontenttype"},
                                             {0, NULL}};

struct parse {
    XML_Parser parser;
    struct propfind p;
    unsigned depth;
    bool in_prop, chosen; /* chosen: allprop, propname or prop was there */
    int failed;
};

static const char *escape_of(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

int propfind_escape(struct buf *out, const char *text)
{
    static const char REPLACEMENT[] = "\xef\xbf\xbd", NOT_XML[] = "\xef\xbf\xbe", NOR_THIS[] = "\xef\xbf\xbf";

    for (size_t left = strlen(text), size; left > 0; text += size, left -= size) {
        const char *escape = escape_of((unsigned char)*text);
        int r;

        size = text_utf8_length(text, left);
        if (size == 0 || (unsigned char)*text < 0x20 ||
            (size == 3 && (!memcmp(text, NOT_XML, 3) || !memcmp(text, NOR_THIS, 3)))) {
            escape = REPLACEMENT;
            size = size ? size : 1;
        }
        if ((r = escape ? buf_add_text(out, escape) : buf_add(out, text, size)) < 0)
            return r;
    }
    return 0;
}

static void fail(struct parse *parse, int result)
{
    parse->failed = result == -EMSGSIZE ? -EBADMSG : result;
    XML_StopParser(parse->parser, XML_FALSE);
}

/* A property that we don't have: its element, with its namespace. */
static int add_other(struct buf *out, const char *name)
{
    CLEANUP(buf_done) struct buf space = {.ceiling = PROPFIND_OTHERS_MAX};
    const char *local = strchr(name, SEPARATOR);
    CLEANUP_FREE char *uri = strndup(name, local ? (size_t)(local - name) : 0);
    int r;

    if (!uri)
        return -ENOMEM;
    if ((r = propfind_escape(&space, uri)) < 0)
        return r;
    return local ? buf_printf(out, "<x:%s xmlns:x=\"%s\"/>", local + 1, buf_text(&space))
                 : buf_printf(out, "<%s xmlns=\"\"/>", name);
}

static void add_property(struct parse *parse, const char *name)
{
    int r;

    for (const struct property_row *row = PROPERTY_ROWS; row->name; row++)
        if (text_starts(name, DAV) && text_eq(name + strlen(DAV), row->name)) {
            parse->p.wanted |= row->property;
            return;
        }
    if ((r = add_other(&parse->p.others, name)) < 0)
        fail(parse, r);
}

static void choose(struct parse *parse, const char *name)
{
    bool all = text_eq(name, "allprop"), names = text_eq(name, "propname");

    parse->in_prop = text_eq(name, "prop");
    if (!all && !names && !parse->in_prop)
        return; /* include, and what others may add (RFC 4918, 17) */
    if (parse->chosen) {
        fail(parse, -EBADMSG);
        return;
    }
    parse->chosen = true;
    parse->p.all = all || names;
    parse->p.names = names;
    if (parse->p.all)
        parse->p.wanted = ~0u;
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct parse *parse = ctx;

    (void)attributes;
    if (++parse->depth > PROPFIND_DEPTH_MAX || (parse->depth == 1 && !text_eq(name, "DAV:\npropfind")))
        fail(parse, -EBADMSG);
    else if (parse->depth == 2 && text_starts(name, DAV))
        choose(parse, name + strlen(DAV));
    else if (parse->depth == 3 && parse->in_prop)
        add_property(parse, name);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct parse *parse = ctx;

    (void)name;
    if (parse->depth-- == 2)
        parse->in_prop = false;
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system, const XML_Char *public,
                               int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    fail(ctx, -EBADMSG);
}

int propfind_parse(const void *body, size_t size, struct propfind *ret)
{
    struct parse parse = {.p.others.ceiling = PROPFIND_OTHERS_MAX};
    enum XML_Status status;

    assert(ret);
    if (size == 0) {
        *ret = (struct propfind){.all = true, .wanted = ~0u};
        return 0;
    }
    if (size > PROPFIND_MAX)
        return -EBADMSG;
    if (!(parse.parser = XML_ParserCreateNS(NULL, SEPARATOR)))
        return -ENOMEM;
    XML_SetUserData(parse.parser, &parse);
    XML_SetElementHandler(parse.parser, on_start, on_end);
    XML_SetStartDoctypeDeclHandler(parse.parser, on_doctype);
    status = XML_Parse(parse.parser, body, (int)size, XML_TRUE);
    if (status != XML_STATUS_OK && parse.failed == 0)
        parse.failed = XML_GetErrorCode(parse.parser) == XML_ERROR_NO_MEMORY ? -ENOMEM : -EBADMSG;
    if (parse.failed == 0 && !parse.chosen)
        parse.failed = -EBADMSG;
    XML_ParserFree(parse.parser);
    if (parse.failed < 0) {
        propfind_done(&parse.p);
        return parse.failed;
    }
    *ret = parse.p;
    return 0;
}

void propfind_done(struct propfind *p)
{
    buf_done(&p->others);
}
