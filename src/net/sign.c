/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting and encoding: canonical forms begin with it.
 */
#include "net/sign.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/url.h"

/* Few and mostly in order: insertion, which keeps equals as they came. */
static void sort(struct sign_pair *pairs, size_t count,
                 int (*compare)(const struct sign_pair *, const struct sign_pair *))
{
    for (size_t i = 1; i < count; i++) {
        struct sign_pair pair = pairs[i];
        size_t j = i;
        for (; j > 0 && compare(&pairs[j - 1], &pair) > 0; j--)
            pairs[j] = pairs[j - 1];
        pairs[j] = pair;
    }
}

/* Name first, not the whole "name=value": '=' does not sort before all that a name may have in it. */
static int compare_query(const struct sign_pair *a, const struct sign_pair *b)
{
    int r = strcmp(a->name, b->name);
    return r ? r : strcmp(a->value, b->value);
}

static int compare_header(const struct sign_pair *a, const struct sign_pair *b)
{
    return strcasecmp(a->name, b->name);
}

void sign_sort_headers(struct sign_pair *pairs, size_t count)
{
    sort(pairs, count, compare_header);
}

int sign_repeats(const struct sign_pair *pairs, size_t i)
{
    return i > 0 && strcasecmp(pairs[i - 1].name, pairs[i].name) == 0;
}

static void pairs_free(struct sign_pair *pairs, size_t count)
{
    for (size_t i = 0; pairs && i < count; i++) {
        free((char *)pairs[i].name);
        free((char *)pairs[i].value);
    }
    free(pairs);
}

int sign_query(const struct sign_request *r, const char *empty, char **ret)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct sign_pair *pairs = calloc(r->query_count + 1, sizeof(*pairs));
    if (!pairs)
        return -ENOMEM;
    int result = 0;
    for (unsigned i = 0; i < r->query_count; i++) {
        pairs[i].name = url_encode(r->query[i].name, strlen(r->query[i].name), 0);
        pairs[i].value = url_encode(r->query[i].value, strlen(r->query[i].value), 0);
        if (!pairs[i].name || !pairs[i].value)
            result = -ENOMEM;
    }
    if (result == 0)
        sort(pairs, r->query_count, compare_query);
    for (unsigned i = 0; i < r->query_count && result == 0; i++)
        result = buf_printf(&text, "%s%s%s%s", i > 0 ? "&" : "", pairs[i].name, *pairs[i].value ? "=" : empty,
                            pairs[i].value);
    pairs_free(pairs, r->query_count);
    if (result < 0)
        return result;
    return (*ret = buf_take(&text)) ? 0 : -ENOMEM;
}

void signature_done(struct signature *s)
{
    secret_free(s->authorization);
    free(s->query);
    *s = (struct signature){0};
}
