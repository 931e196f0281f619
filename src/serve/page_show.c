/* SPDX-License-Identifier: Apache-2.0
 *
 * One text of a case on a page of its own, with a search: paragraphs (in a thread dump: threads) that hold the words.
 */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "hotspot/class_histogram.h"
#include "serve/page_evidence.h"

enum { SHOWN_MAX = 512 * 1024, PARAGRAPH_MAX = 16 * 1024, QUERY_MAX = 100 };

/* A paragraph: up to an empty line, with that; of a text without any, some lines. */
static size_t paragraph(const char *text, size_t size)
{
    size_t most = size < PARAGRAPH_MAX ? size : PARAGRAPH_MAX;
    const char *end = memmem(text, most, "\n\n", 2);

    if (end)
        return (size_t)(end - text) + 2;
    end = most < size ? memrchr(text, '\n', most) : NULL;
    return end ? (size_t)(end - text) + 1 : most;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Letters of ASCII in either case. NULL: not found. */
static const char *find(const char *text, size_t size, const char *words, size_t words_size)
{
    for (size_t i = 0; i + words_size <= size; i++) {
        size_t k = 0;

        while (k < words_size && lower(text[i + k]) == lower(words[k]))
            k++;
        if (k == words_size)
            return text + i;
    }
    return NULL;
}

static void write_marked(struct html *h, const char *text, size_t size, const char *q)
{
    size_t q_size = strlen(q);

    for (const char *at; (at = find(text, size, q, q_size));) {
        size_t before = (size_t)(at - text);

        html_text_bytes(h, text, before);
        html_begin(h, "mark");
        html_text_bytes(h, at, q_size);
        html_end(h);
        text += before + q_size;
        size -= before + q_size;
    }
    html_text_bytes(h, text, size);
}

struct shown {
    unsigned found, all;
    bool full; /* more than a page can bear */
};

/* The paragraphs that hold q, into a buffer of its own: how many there are is said before them. */
static struct shown search(struct html *h, const struct buf *text, const char *q)
{
    const char *at = buf_text(text);
    struct shown shown = {0};

    for (size_t left = text->size, size, used = 0; left > 0; at += size, left -= size) {
        size = paragraph(at, left);
        shown.all++;
        if (!find(at, size, q, strlen(q)))
            continue;
        shown.found++;
        if (used + size > SHOWN_MAX) {
            shown.full = true;
            continue;
        }
        used += size;
        write_marked(h, at, size, q);
    }
    return shown;
}

static void write_form(struct html *h, const struct evidence *v, const struct manifest *m, const char *q)
{
    CLEANUP(buf_done) struct buf url = {0};

    if (evidence_url(v, NULL, &url) < 0)
        return;
    html_begin_class(h, "form", "find");
    html_attr(h, "method", "get");
    html_attr(h, "action", buf_text(&url));
    html_attr(h, "role", "search");
    html_void(h, "input");
    html_attr(h, "type", "hidden");
    html_attr(h, "name", "show");
    html_attr(h, "value", text_base_name(m->key));
    html_begin(h, "div");
    html_begin(h, "label");
    html_attr(h, "for", "q");
    html_text(h, "Search in it");
    html_end(h);
    html_void(h, "input");
    html_attr(h, "id", "q");
    html_attr(h, "type", "search");
    html_attr(h, "name", "q");
    html_attr(h, "value", q);
    html_end(h);
    html_element(h, "button", NULL, "Search");
    html_end(h);
}

static void write_count(struct html *h, const struct shown *s, const char *q)
{
    html_begin_class(h, "p", "lead");
    html_attr(h, "role", "status");
    html_printf(h, "%u of %u paragraphs hold \"%s\"%s", s->found, s->all, q,
                s->full ? "; not all of them are shown" : "");
    html_end(h);
}

static void write_text(struct html *h, const struct preview *p, const char *name, const char *q)
{
    CLEANUP(html_done) struct html found = {0};
    size_t size = p->text.size < SHOWN_MAX ? p->text.size : SHOWN_MAX;

    if (p->cut || size < p->text.size) {
        html_begin_class(h, "p", "note");
        html_printf(h, "%s of the file are shown; download it for the rest.",
                    q ? "Search sees the first 4 MiB, and at most 512 KiB" : "The first 512 KiB");
        html_end(h);
    }
    if (q) {
        struct shown shown = search(&found, &p->text, q);

        write_count(h, &shown, q);
        if (shown.found == 0)
            return;
    }
    html_begin_class(h, "pre", "whole");
    html_attr(h, "tabindex", "0");
    html_attr(h, "aria-label", name);
    if (q)
        html_add(h, &found);
    else
        html_text_bytes(h, buf_text(&p->text), size);
    html_end(h);
}

static void write_page(struct page *p, const struct evidence *v, const struct manifest *m, const char *q)
{
    CLEANUP(preview_done) struct preview text = {0};
    CLEANUP(buf_done) struct buf back = {0};
    struct html *h = &p->html;
    struct err e = {0};
    char sentence[WHY_MAX];

    if (evidence_url(v, NULL, &back) < 0)
        return;
    html_begin_class(h, "nav", "crumbs");
    html_attr(h, "aria-label", "Where you are");
    html_link(h, "/" REQUEST_OWN "cases", "Cases");
    html_text(h, " / ");
    html_link(h, buf_text(&back), why_sentence_of_kill(&v->object[0], &v->kill, sentence));
    html_end(h);
    html_element(h, "h1", NULL, text_base_name(m->key));
    html_element(h, "p", "lead", why_kind(m->kind));
    html_begin(h, "section");
    write_form(h, v, m, q);
    if (preview_load(p->request->serve, m, PREVIEW_MAX, &text, &e) < 0) {
        html_begin_class(h, "p", "note");
        html_text(h, "This can't be shown now: ");
        html_text(h, e.msg);
        html_end(h);
    } else {
        write_text(h, &text, text_base_name(m->key), q);
    }
    html_end(h);
}

void evidence_show(struct request *r, const struct evidence *v, const struct manifest *m, const char *q)
{
    struct page p;

    if (!evidence_is_text(m->kind)) {
        page_fail(r, 404, "A page can't show this file: download it.");
        return;
    }
    if (!evidence_is_record(m->kind) && !(v->rights & RIGHT_READ)) {
        r->refused = true;
        page_fail(r, 403, "To look inside you need the right to read in this namespace.");
        return;
    }
    if (q && (!*q || strlen(q) > QUERY_MAX))
        q = NULL;
    page_begin(&p, r, text_base_name(m->key), NULL);
    write_page(&p, v, m, q);
    page_end(&p, 200);
}
