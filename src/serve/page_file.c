/* SPDX-License-Identifier: Apache-2.0
 *
 * The name in the URL changes with the content: browsers keep a file for a year and never ask again.
 */
#include "serve/page_file.h"

#include <stdio.h>

#include "base/embedded_files.h"
#include "base/text.h"

static const char *type_of(const char *name)
{
    if (text_ends(name, ".css"))
        return "text/css; charset=utf-8";
    if (text_ends(name, ".js"))
        return "text/javascript; charset=utf-8";
    return "image/svg+xml";
}

const char *page_file_url(const char *name, char *out)
{
    const struct embedded_file *f = embedded_file(name);

    snprintf(out, PAGE_FILE_URL_MAX, "/" REQUEST_OWN "static/%s/%s", f->digest, f->name);
    return out;
}

void page_file_answer(struct request *r)
{
    for (const struct embedded_file *f = EMBEDDED_FILES; f->name; f++) {
        char url[PAGE_FILE_URL_MAX];

        if (!text_eq(page_file_url(f->name, url) + 1, r->key))
            continue;
        exchange_add_header(r->exchange, "Content-Type", type_of(f->name));
        exchange_add_header(r->exchange, "Cache-Control", "public, max-age=31536000, immutable");
        exchange_add_header(r->exchange, "X-Content-Type-Options", "nosniff");
        exchange_answer(r->exchange, 200, f->data, f->size);
        return;
    }
    exchange_answer_text(r->exchange, 404, "not found");
}
