/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as text and as an attribute: what a browser would read of it is the same text, but for U+FFFD in the place
 * of what can't be shown, and no tag, no quote and no control character comes of it.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/html.h"
#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes the next character that was meant from *at: a reference, or the character itself. */
static size_t unescape(const char **at, char out[4])
{
    static const struct {
        const char *reference;
        char c;
    } all[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};
    size_t length;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (text_starts(*at, all[i].reference)) {
            *at += strlen(all[i].reference);
            out[0] = all[i].c;
            return 1;
        }
    assert(!strchr("&<>\"'", **at));
    assert((length = text_utf8_length(*at, strlen(*at))) > 0);
    assert(**at == '\n' || **at == '\t' || text_control(*at, length) == 0);
    memcpy(out, *at, length);
    *at += length;
    return length;
}

/* escaped: up to its end or `stop`. */
static const char *check(const char *escaped, char stop, const char *text, size_t size)
{
    static const char replacement[] = "\xef\xbf\xbd";

    while (size > 0) {
        size_t wanted = text_utf8_length(text, size), got;
        char c[4];

        wanted = wanted ? wanted : 1;
        assert(*escaped && *escaped != stop);
        got = unescape(&escaped, c);
        assert((got == wanted && memcmp(c, text, got) == 0) || (got == 3 && memcmp(c, replacement, 3) == 0));
        text += wanted;
        size -= wanted;
    }
    assert(*escaped == stop);
    return escaped;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(html_done) struct html whole = {0}, attr = {0};
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    const char *end;

    assert(text);
    html_text_bytes(&whole, (const char *)data, size);
    assert(whole.failed == 0);
    check(buf_text(&whole.out), '\0', (const char *)data, size);
    html_begin(&attr, "a");
    html_attr(&attr, "title", text);
    html_end(&attr);
    assert(attr.failed == 0 && text_starts(buf_text(&attr.out), "<a title=\""));
    end = check(buf_text(&attr.out) + strlen("<a title=\""), '"', text, strlen(text));
    assert(strcmp(end, "\"></a>") == 0);
    return 0;
}
