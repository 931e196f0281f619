/* SPDX-License-Identifier: Apache-2.0
 */
#include "inspect/analysis_frame.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/embedded_files.h"
#include "codec/digest.h"

enum { POLICY_MAX = 512, BASE64_MAX = 48 };

/* "sha256-…", as Content Security Policy names an inline style or script. */
static void source_digest(const struct embedded_file *f, char out[BASE64_MAX])
{
    unsigned char raw[SHA256_DIGEST_LENGTH];
    struct digest d;

    digest_init(&d);
    digest_update(&d, f->data, f->size);
    digest_raw(&d, raw);
    EVP_EncodeBlock((unsigned char *)out, raw, sizeof(raw));
}

static void write_head(struct html *h, const char *title, const struct embedded_file *style,
                       const struct embedded_file *script)
{
    char policy[POLICY_MAX], style_digest[BASE64_MAX], script_digest[BASE64_MAX];

    source_digest(style, style_digest);
    source_digest(script, script_digest);
    snprintf(policy, sizeof(policy),
             "default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; form-action 'none'",
             style_digest, script_digest);
    html_begin(h, "head");
    html_void(h, "meta");
    html_attr(h, "charset", "utf-8");
    html_void(h, "meta");
    html_attr(h, "http-equiv", "Content-Security-Policy");
    html_attr(h, "content", policy);
    html_void(h, "meta");
    html_attr(h, "name", "viewport");
    html_attr(h, "content", "width=device-width, initial-scale=1");
    html_void(h, "meta");
    html_attr(h, "name", "referrer");
    html_attr(h, "content", "no-referrer");
    html_begin(h, "title");
    html_printf(h, "%s · salvage", title);
    html_end(h);
    html_begin(h, "style");
    html_own(h, style->data);
    html_end(h);
    html_end(h);
}

void analysis_frame_begin(struct html *h, const char *title)
{
    html_own(h, "<!doctype html>\n");
    html_begin(h, "html");
    html_attr(h, "lang", "en");
    write_head(h, title, embedded_file("analysis.css"), embedded_file("analysis.js"));
    html_begin_class(h, "body", "analysis");
    html_begin(h, "main");
}

int analysis_frame_end(struct html *h, struct buf *ret, struct err *e)
{
    int r;

    html_begin_class(h, "p", "small muted foot");
    html_text(h, "Made by salvage. Retained sizes are exact: what would be freed without the object.");
    html_end(h);
    html_end(h);
    html_begin(h, "script");
    html_own(h, embedded_file("analysis.js")->data);
    html_end(h);
    html_end(h);
    html_end(h);
    if (h->failed == 0)
        h->failed = buf_add(&h->out, "\n", 1);
    if (h->failed == 0) {
        r = buf_add(ret, h->out.data, h->out.size);
        return r < 0 ? err_set(e, r, "the page is too large") : 0;
    }
    return err_set(e, h->failed, h->failed == -ENOMEM ? "out of memory" : "the page is too large");
}
