/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys are any bytes, JSON is UTF-8: so keys are percent-encoded.
 */
#include "guard/case_line.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

static const char *const NAMES[CASE_LINE_KINDS] = {
    [CASE_LINE_BEGUN] = "begun",
    [CASE_LINE_MADE] = "made",
    [CASE_LINE_FAILED] = "failed",
    [CASE_LINE_REFUSED] = "refused",
};

int case_line_encode(const struct case_line *c, struct buf *ret)
{
    CLEANUP_FREE char *key = url_encode(c->key, strlen(c->key), 1);
    CLEANUP_FREE char *tenant = url_encode(c->tenant, strlen(c->tenant), 1);
    CLEANUP_FREE char *text = NULL;
    json_auto_t *line = NULL;

    if (!key || !tenant)
        return -ENOMEM;
    line = json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "what", NAMES[c->what], "boot", c->boot, "mono_ms",
                     (json_int_t)c->mono_ms, "wall_ms", (json_int_t)c->wall_ms, "key", key, "tenant", tenant);
    text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    return text ? buf_printf(ret, "%s\n", text) : -ENOMEM;
}

static int find_what(const char *name, enum case_line_what *ret)
{
    for (unsigned i = 0; i < CASE_LINE_KINDS; i++)
        if (text_eq(NAMES[i], name)) {
            *ret = (enum case_line_what)i;
            return 0;
        }
    return -EBADMSG;
}

static int copy(const char *encoded, char *out, size_t room)
{
    CLEANUP_FREE char *text = url_decode(encoded, strlen(encoded));

    if (!text)
        return -ENOMEM;
    if (strlen(text) >= room)
        return -EBADMSG;
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

int case_line_decode(const char *line, size_t size, struct case_line *ret)
{
    json_auto_t *j = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    const char *what, *boot, *key, *tenant;
    struct case_line c = {.mono_ms = 0};
    json_int_t mono_ms, wall_ms;
    int r;

    if (!j || json_unpack(j, "{s:s, s:s, s:I, s:I, s:s, s:s}", "what", &what, "boot", &boot, "mono_ms", &mono_ms,
                          "wall_ms", &wall_ms, "key", &key, "tenant", &tenant) < 0)
        return -EBADMSG;
    if (mono_ms < 0 || wall_ms < 0 || !*key || strlen(boot) >= sizeof(c.boot))
        return -EBADMSG;
    if ((r = find_what(what, &c.what)) < 0 || (r = copy(key, c.key, sizeof(c.key))) < 0 ||
        (r = copy(tenant, c.tenant, sizeof(c.tenant))) < 0)
        return r;
    if (!*c.key)
        return -EBADMSG;
    memcpy(c.boot, boot, strlen(boot) + 1);
    c.mono_ms = (uint64_t)mono_ms;
    c.wall_ms = wall_ms;
    *ret = c;
    return 0;
}
