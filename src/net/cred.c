/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain, and what its providers share. Knows none of their sources.
 */
#include "net/cred.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct cred_provider *const CHAIN[] = {&CRED_ENVIRONMENT, &CRED_PROFILE};

int cred_get(struct credentials *ret, struct err *e)
{
    struct err looked = {0}, one = {0};
    for (size_t i = 0; i < ARRAY_SIZE(CHAIN); i++) {
        int r = CHAIN[i]->get(ret, &one);
        if (r != -ENOENT)
            return r < 0 ? err_set(e, r, "%s", one.msg) : 0;
        err_set(&looked, 0, "%s%s%s", looked.msg, i > 0 ? "; " : "", one.msg);
    }
    return err_set(e, -FAULT_CREDENTIALS,
                   "no credentials (%s): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write the file",
                   looked.msg);
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

int cred_make(const char *access_key, const char *secret_key, const char *token, const char *where,
              struct credentials *ret, struct err *e)
{
    size_t access_size = blank_at_end(access_key), secret_size = blank_at_end(secret_key);
    size_t token_size = token ? blank_at_end(token) : 0;
    int r = access_size == 0 || secret_size == 0
                ? err_set(e, -FAULT_CREDENTIALS, "%s: the access key or the secret key is empty", where)
                : 0;
    if (r < 0 || (r = check(access_key, access_size, "access key", where, e)) < 0 ||
        (r = check(secret_key, secret_size, "secret key", where, e)) < 0 ||
        (r = token ? check(token, token_size, "session token", where, e) : 0) < 0)
        return r;
    struct credentials made = {.access_key = strndup(access_key, access_size),
                               .secret_key = secret_new(secret_key, secret_size),
                               .token = token_size > 0 ? secret_new(token, token_size) : NULL};
    if (!made.access_key || !made.secret_key || (token_size > 0 && !made.token)) {
        cred_done(&made);
        return err_set(e, -ENOMEM, "out of memory");
    }
    *ret = made;
    return 0;
}

int cred_region(char **ret)
{
    static const char *const names[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i]);
        char *region = NULL;
        if (!value || !*value)
            continue;
        if (!(region = strdup(value)))
            return -ENOMEM;
        *ret = region;
        return 0;
    }
    return cred_profile_region(ret);
}
