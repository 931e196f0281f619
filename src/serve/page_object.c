/* SPDX-License-Identifier: Apache-2.0
 *
 * One object of a case: its sizes and digests, links to get it, and lines for a terminal.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/codec.h"
#include "net/url.h"
#include "serve/page_evidence.h"

/* The name that the file has once it is decompressed. */
static void plain_name(const struct manifest *m, struct buf *ret)
{
    const char *name = text_base_name(m->key);
    size_t size = strlen(name);
    struct codec codec;

    if (codec_parse(m->codec, &codec, NULL) == 0 && *codec.ops->suffix && text_ends(name, codec.ops->suffix) &&
        size > strlen(codec.ops->suffix))
        size -= strlen(codec.ops->suffix);
    buf_printf(ret, "%.*s", (int)size, name);
}

/* Whether a shell takes it as one word. */
static bool is_word(const char *name)
{
    return *name && *name != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(name);
}

/* Several files of a case have the same links: for a screen reader each says which file it is for. */
static void write_link(struct html *h, const char *href, const char *text, const struct manifest *m)
{
    html_begin_class(h, "a", "button");
    html_attr(h, "href", href);
    html_text(h, text);
    html_begin_class(h, "span", "unseen");
    html_text(h, ": ");
    html_text(h, text_base_name(m->key));
    html_end(h);
    html_end(h);
}

/* For those without a token: a link that works for a day. The answer is a page with it. */
static void write_link_form(struct html *h, const struct manifest *m, const struct request *r)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (caller_is_anonymous(r->caller) || buf_add_text(&url, "/" REQUEST_OWN "link") < 0 ||
        url_add_query(&url, "key", m->key) < 0 || url_add_query(&url, "for", "24h") < 0 ||
        url_add_query(&url, "csrf", caller_csrf(r->caller)) < 0)
        return;
    html_begin(h, "form");
    html_attr(h, "method", "post");
    html_attr(h, "action", buf_text(&url));
    html_begin(h, "button");
    html_text(h, "Link for a day");
    html_begin_class(h, "span", "unseen");
    html_text(h, ": ");
    html_text(h, text_base_name(m->key));
    html_end(h);
    html_end(h);
    html_end(h);
}

static void write_actions(struct html *h, const struct evidence *v, const struct manifest *m, const struct request *r)
{
    CLEANUP(buf_done) struct buf url = {0}, decoded = {0}, inside = {0};
    bool packed = !text_eq(m->codec, "none"), readable = v->rights & RIGHT_READ;

    if (buf_add_text(&url, "/") < 0 || url_add_path(&url, m->key) < 0 ||
        buf_printf(&decoded, "%s?decoded", buf_text(&url)) < 0 || evidence_url(v, m, &inside) < 0)
        return;
    html_begin_class(h, "div", "actions");
    if (evidence_is_text(m->kind))
        write_link(h, buf_text(&inside), "Look inside", m);
    if (readable && packed)
        write_link(h, buf_text(&decoded), "Download, decompressed", m);
    if (readable)
        write_link(h, buf_text(&url), packed ? "As it is stored" : "Download", m);
    if (readable)
        write_link_form(h, m, r);
    html_end(h);
}

static void write_lines(struct html *h, const struct manifest *m, const struct request *r)
{
    CLEANUP(buf_done) struct buf origin = {0}, path = {0}, name = {0}, get = {0}, curl = {0};
    bool packed = !text_eq(m->codec, "none");

    plain_name(m, &name);
    if (page_origin(r->exchange, &origin) < 0 || url_add_path(&path, m->key) < 0)
        return;
    buf_printf(&get, "salvage get %s/%s", buf_text(&origin), buf_text(&path));
    buf_printf(&curl, "curl -f %s%s%s '%s/%s%s'",
               caller_is_anonymous(r->caller) ? "" : "-H \"Authorization: Bearer $SALVAGE_HTTP_TOKEN\" ",
               is_word(buf_text(&name)) ? "-o " : "-O", is_word(buf_text(&name)) ? buf_text(&name) : "",
               buf_text(&origin), buf_text(&path), packed ? "?decoded" : "");
    page_copy(h, buf_text(&get));
    page_copy(h, buf_text(&curl));
}

static void write_manifest(struct html *h, const struct evidence *v, unsigned i)
{
    const struct manifest *m = &v->object[i];

    html_begin(h, "details");
    html_element(h, "summary", NULL, "Digests and manifest");
    html_begin_class(h, "dl", "facts");
    html_fact(h, "SHA-256", "mono", m->sha256);
    if (!text_eq(m->sha256, m->stored_sha256))
        html_fact(h, "as stored", "mono", m->stored_sha256);
    html_end(h);
    html_begin(h, "pre");
    html_attr(h, "tabindex", "0");
    html_attr(h, "aria-label", "Manifest");
    html_text(h, v->json[i]);
    html_end(h);
    html_end(h);
}

void evidence_write(struct html *h, const struct evidence *v, unsigned i, const struct request *r)
{
    const struct manifest *m = &v->object[i];
    bool readable = v->rights & RIGHT_READ;

    html_begin_class(h, "article", "artifact");
    html_begin(h, "header");
    html_element(h, "h3", NULL, text_base_name(m->key));
    html_begin_class(h, "span", "small muted");
    html_text(h, why_kind(m->kind));
    html_text(h, ", ");
    page_size(h, m->size);
    if (!text_eq(m->codec, "none")) {
        html_text(h, ", stored in ");
        page_size(h, m->stored_size);
    }
    html_end(h);
    if (m->partial)
        html_element(h, "span", "tag", "partial");
    html_end(h);
    if (readable || evidence_is_record(m->kind))
        write_actions(h, v, m, r);
    if (readable)
        write_lines(h, m, r);
    write_manifest(h, v, i);
    html_end(h);
}
