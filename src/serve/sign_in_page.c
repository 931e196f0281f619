/* SPDX-License-Identifier: Apache-2.0
 *
 * A form without any script.
 */
#include "serve/sign_in_page.h"

#include "base/mem.h"
#include "serve/page.h"

static void write_field(struct html *h)
{
    html_begin(h, "div");
    html_begin(h, "label");
    html_attr(h, "for", "token");
    html_text(h, "Token");
    html_end(h);
    html_void(h, "input");
    html_attr(h, "id", "token");
    html_attr(h, "name", "token");
    html_attr(h, "type", "password");
    html_attr(h, "autocomplete", "current-password");
    html_flag(h, "required");
    html_flag(h, "autofocus");
    html_end(h);
}

void sign_in_page(struct request *r, unsigned status, const char *next, const char *wrong)
{
    struct page p;
    struct html *h = &p.html;

    page_begin(&p, r, "Sign in", NULL);
    html_begin_class(h, "div", "sign");
    html_element(h, "h1", NULL, "Sign in");
    html_element(h, "p", "lead",
                 "With a token of this server, of your identity provider, or of your account in the cluster.");
    if (wrong) {
        html_begin_class(h, "p", "note");
        html_attr(h, "role", "alert");
        html_text(h, wrong);
        html_end(h);
    }
    html_begin(h, "form");
    html_attr(h, "method", "post");
    html_attr(h, "action", "/" REQUEST_OWN "login");
    write_field(h);
    html_void(h, "input");
    html_attr(h, "type", "hidden");
    html_attr(h, "name", "next");
    html_attr(h, "value", next);
    html_begin_class(h, "button", "primary");
    html_text(h, "Sign in");
    html_end(h);
    html_end(h);
    html_end(h);
    page_end(&p, status);
}

void sign_in_link_page(struct request *r, const char *path, int64_t expires_s)
{
    CLEANUP(buf_done) struct buf url = {0};
    struct page p;
    struct html *h = &p.html;

    page_begin(&p, r, "A link", NULL);
    html_begin_class(h, "div", "hero");
    html_element(h, "h1", NULL, "A link for somebody without a token");
    html_begin_class(h, "p", "lead");
    html_text(h, "Whoever has it can download this one file, until ");
    page_time(h, expires_s * 1000000000);
    html_text(h, ".");
    html_end(h);
    if (page_origin(r->exchange, &url) == 0 && buf_add_text(&url, path) == 0)
        page_copy(h, buf_text(&url));
    html_end(h);
    page_end(&p, 201);
}
