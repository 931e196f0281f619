/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain, and what its providers share. Knows none of their sources.
 */
#include "net/cred.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { PROVIDERS_MAX = 7 };

static const struct chain {
    const struct cred_provider *provider[PROVIDERS_MAX]; /* ends with NULL */
    const char *advice;
} CHAINS[CRED_FAMILY_END] = {
    [CRED_AWS] = {{&CRED_ENVIRONMENT, &CRED_ROLE, &CRED_WEB_IDENTITY, &CRED_PROFILE, &CRED_CONTAINER, &CRED_INSTANCE},
                  "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, write the file, or give the task, pod or "
                  "instance a role"},
    [CRED_OBS] = {{&CRED_OBS_ENVIRONMENT, &CRED_OBS_AGENCY},
                  "set OBS_ACCESS_KEY_ID and OBS_SECRET_ACCESS_KEY, or give the ECS an agency"},
};

enum { RENEW_BEFORE_S = 300 };

int cred_get(enum cred_family family, const struct http_options *http, struct credentials *ret, struct err *e)
{
    const struct chain *chain = &CHAINS[family];
    struct err looked = {0}, one = {0};

    assert(family < CRED_FAMILY_END && http && ret);
    for (size_t i = 0; chain->provider[i]; i++) {
        int r = chain->provider[i]->get(http, ret, &one);
        if (r != -ENOENT)
            return r < 0 ? err_set(e, r, "%s", one.msg) : 0;
        err_set(&looked, 0, "%s%s%s", looked.msg, i > 0 ? "; " : "", one.msg);
    }
    return err_set(e, -FAULT_CREDENTIALS, "no credentials (%s): %s", looked.msg, chain->advice);
}

int64_t cred_renew_at(const struct credentials *c, int64_t got_ns)
{
    int64_t left_ns = c->expires_ns - got_ns, before_ns = (int64_t)RENEW_BEFORE_S * 1000000000;

    if (!c->expires_ns)
        return INT64_MAX;
    if (left_ns < 4 * before_ns)
        before_ns = left_ns > 0 ? left_ns / 4 : 0;
    return c->expires_ns - before_ns;
}

void cred_done(struct credentials *c)
{
    free(c->access_key);
    secret_free(c->secret_key);
    secret_free(c->token);
    *c = (struct credentials){0};
}

static size_t blank_at_end(const char *text)
{
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\r\n", text[size - 1]))
        size--;
    return size;
}

/* What may stand in a header: graphic ASCII. */
static int check(const char *text, size_t size, const char *what, const char *where, struct err *e)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return err_set(e, -FAULT_CREDENTIALS, "%s: the %s has a space or a strange character in it", where, what);
    return 0;
}

int cred_make(const struct cred_parts *p, const char *where, struct credentials *ret, struct err *e)
{
    size_t access_size = blank_at_end(p->access_key), secret_size = blank_at_end(p->secret_key);
    size_t token_size = p->token ? blank_at_end(p->token) : 0;
    int r = access_size == 0 || secret_size == 0
                ? err_set(e, -FAULT_CREDENTIALS, "%s: the access key or the secret key is empty", where)
                : 0;

    if (r < 0 || (r = check(p->access_key, access_size, "access key", where, e)) < 0 ||
        (r = check(p->secret_key, secret_size, "secret key", where, e)) < 0 ||
        (r = p->token ? check(p->token, token_size, "session token", where, e) : 0) < 0)
        return r;
    struct credentials made = {.access_key = strndup(p->access_key, access_size),
                               .secret_key = secret_new(p->secret_key, secret_size),
                               .token = token_size > 0 ? secret_new(p->token, token_size) : NULL};
    if (!made.access_key || !made.secret_key || (token_size > 0 && !made.token)) {
        cred_done(&made);
        return err_set(e, -ENOMEM, "out of memory");
    }
    *ret = made;
    return 0;
}
