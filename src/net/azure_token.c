/* SPDX-License-Identifier: Apache-2.0 */
#include "net/azure_token.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"

static bool is_token(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return *text != '\0';
}

static uint64_t seconds(const json_t *object, const char *name)
{
    uint64_t n = json_read_count(object, name);

    if (n == 0 && text_parse_uint(json_read_text(object, name), UINT32_MAX, &n) < 0)
        n = 0;
    return n <= UINT32_MAX ? n : 0;
}

int azure_token_parse(const char *json, size_t size, struct azure_token *ret)
{
    json_auto_t *object = json_read_object(json, size, AZURE_TOKEN_MAX);
    const char *text = object ? json_read_text(object, "access_token") : "";
    char *copy;

    if (!is_token(text))
        return -EBADMSG;
    if (!(copy = strdup(text)))
        return -ENOMEM;
    *ret = (struct azure_token){.text = copy, .expires_s = seconds(object, "expires_in")};
    return 0;
}

void azure_token_done(struct azure_token *t)
{
    if (t->text)
        explicit_bzero(t->text, strlen(t->text));
    free(t->text);
    *t = (struct azure_token){0};
}

const char *azure_token_reason(const char *json, size_t size, char reason[AZURE_REASON_MAX])
{
    json_auto_t *object = json_read_object(json, size, AZURE_TOKEN_MAX);
    const char *text = object ? json_read_text(object, "error_description") : "";

    if (object && !*text)
        text = json_read_text(object, "error");
    text_printable(text, reason, AZURE_REASON_MAX);
    return reason;
}

int64_t azure_sas_end(const char *sas)
{
    char text[40];
    int64_t ns = 0;

    for (const char *p = sas; p; p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL) {
        size_t size = strcspn(p, "&"), n = 0;

        if (size <= 3 || strncmp(p, "se=", 3) != 0)
            continue;
        for (size_t i = 3; i < size && n + 1 < sizeof(text); i++, n++) {
            bool colon = size - i >= 3 && strncasecmp(p + i, "%3A", 3) == 0;

            text[n] = colon ? ':' : p[i];
            i += colon ? 2 : 0;
        }
        text[n] = '\0';
        return clock_parse(text, &ns) < 0 ? 0 : ns;
    }
    return 0;
}
