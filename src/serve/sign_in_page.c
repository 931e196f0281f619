/* SPDX-License-Identifier: Apache-2.0
 *
 * A form without any script. What comes from outside in it, `next` and the message, is escaped.
 */
#include "serve/sign_in_page.h"

#include "base/buf.h"
#include "base/mem.h"

static int add_escaped(struct buf *b, const char *text)
{
    int r = 0;

    for (; *text && r == 0; text++)
        r = *text == '&'   ? buf_add_text(b, "&amp;")
            : *text == '<' ? buf_add_text(b, "&lt;")
            : *text == '>' ? buf_add_text(b, "&gt;")
            : *text == '"' ? buf_add_text(b, "&quot;")
                           : buf_add(b, text, 1);
    return r;
}

static int add_page(struct buf *b, const char *next, const char *wrong)
{
    static const char HEAD[] =
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Sign in · salvage</title>"
        "<link rel=\"stylesheet\" href=\"/-/static/style.css\"></head><body><main><h1>Sign in</h1>\n";
    static const char FORM[] =
        "<form method=\"post\" action=\"/-/login\"><p><label for=\"token\">Token</label> "
        "<input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required autofocus></p>"
        "<input type=\"hidden\" name=\"next\" value=\"";
    static const char TAIL[] = "\"><p><button type=\"submit\">Sign in</button></p></form></main></body></html>\n";

    if (buf_add_text(b, HEAD) < 0)
        return -1;
    if (wrong &&
        (buf_add_text(b, "<p role=\"alert\">") < 0 || add_escaped(b, wrong) < 0 || buf_add_text(b, "</p>\n") < 0))
        return -1;
    return buf_add_text(b, FORM) < 0 || add_escaped(b, next) < 0 ? -1 : buf_add_text(b, TAIL);
}

void sign_in_page(struct request *r, unsigned status, const char *next, const char *wrong)
{
    CLEANUP(buf_done) struct buf page = {0};

    if (add_page(&page, next, wrong) < 0) {
        exchange_answer_text(r->exchange, 503, "out of memory");
        return;
    }
    exchange_add_header(r->exchange, "Content-Type", "text/html; charset=utf-8");
    exchange_add_header(r->exchange, "Content-Security-Policy",
                        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
                        "base-uri 'none'");
    exchange_add_header(r->exchange, "X-Content-Type-Options", "nosniff");
    exchange_add_header(r->exchange, "Referrer-Policy", "same-origin");
    exchange_add_header(r->exchange, "Cache-Control", "no-store");
    exchange_answer(r->exchange, status, page.data, page.size);
}
