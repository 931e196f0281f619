/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials for a file server: Basic (RFC 7617) or Bearer (RFC 6750). Half a pair or a malformed file is an error:
 * to go on without would be a surprise. What was read is wiped from the stack.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/http/http_store.h"

enum { CREDENTIALS_MAX = 8192, ENCODED_MAX = (CREDENTIALS_MAX + 2) / 3 * 4 + 1, VALUE_MAX = ENCODED_MAX + 16 };

static int make(const char *scheme, const char *text, struct secret **ret, struct err *e)
{
    char value[VALUE_MAX];
    int size = snprintf(value, sizeof(value), "%s %s", scheme, text);
    struct secret *s = secret_new(value, (size_t)size);

    explicit_bzero(value, sizeof(value));
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    *ret = s;
    return 0;
}

static int make_basic(const char *pair, const char *where, struct secret **ret, struct err *e)
{
    unsigned char encoded[ENCODED_MAX];
    int r;

    for (const char *c = pair; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return err_set(e, -FAULT_CREDENTIALS, "http: user or password in %s holds a control character", where);
    EVP_EncodeBlock(encoded, (const unsigned char *)pair, (int)strlen(pair));
    r = make("Basic", (const char *)encoded, ret, e);
    explicit_bzero(encoded, sizeof(encoded));
    return r;
}

static int make_bearer(const char *token, const char *where, struct secret **ret, struct err *e)
{
    if (!*token)
        return err_set(e, -FAULT_CREDENTIALS, "http: the token in %s is empty", where);
    for (const char *c = token; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return err_set(e, -FAULT_CREDENTIALS, "http: the token in %s holds a character that tokens don't have",
                           where);
    return make("Bearer", token, ret, e);
}

/* text: one line, its end cut off. */
static int from_text(char *text, const char *where, struct secret **ret, struct err *e)
{
    static const char BEARER[] = "bearer ";

    if (!*text)
        return err_set(e, -FAULT_CREDENTIALS, "http: %s is empty: it should hold user:password or a token", where);
    if (strncasecmp(text, BEARER, strlen(BEARER)) == 0)
        return make_bearer(text + strlen(BEARER) + strspn(text + strlen(BEARER), " "), where, ret, e);
    return strchr(text, ':') ? make_basic(text, where, ret, e) : make_bearer(text, where, ret, e);
}

static int from_file(const char *path, struct secret **ret, struct err *e)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[CREDENTIALS_MAX];
    ssize_t size;
    int r;

    size = fd < 0 ? -errno : file_read(fd, text, sizeof(text));
    if (size < 0)
        return err_set(e, -FAULT_CREDENTIALS, "http: the credentials file %s cannot be read: %s", path,
                       strerror((int)-size));
    if ((size_t)size == sizeof(text)) {
        r = err_set(e, -FAULT_CREDENTIALS, "http: the credentials file %s is too large", path);
    } else {
        text[size] = '\0';
        text[strcspn(text, "\r\n")] = '\0';
        r = from_text(text, path, ret, e);
    }
    explicit_bzero(text, sizeof(text));
    return r;
}

static int from_pair(const char *user, const char *password, struct secret **ret, struct err *e)
{
    char pair[CREDENTIALS_MAX];
    int r, size;

    if (!user || !password)
        return err_set(e, -FAULT_CREDENTIALS, "http: SALVAGE_HTTP_%s is set without SALVAGE_HTTP_%s",
                       user ? "USER" : "PASSWORD", user ? "PASSWORD" : "USER");
    if (strchr(user, ':'))
        return err_set(e, -FAULT_CREDENTIALS, "http: a user name can't hold a ':' (SALVAGE_HTTP_USER)");
    size = snprintf(pair, sizeof(pair), "%s:%s", user, password);
    r = (size_t)size < sizeof(pair)
            ? make_basic(pair, "SALVAGE_HTTP_USER and SALVAGE_HTTP_PASSWORD", ret, e)
            : err_set(e, -FAULT_CREDENTIALS, "http: SALVAGE_HTTP_USER and SALVAGE_HTTP_PASSWORD are too long");
    explicit_bzero(pair, sizeof(pair));
    return r;
}

int http_auth_get(const char *file, struct secret **ret, struct err *e)
{
    const char *token = env_get("SALVAGE_HTTP_TOKEN"), *user = env_get("SALVAGE_HTTP_USER"),
               *password = env_get("SALVAGE_HTTP_PASSWORD");

    if (!file)
        file = env_get("SALVAGE_CREDENTIALS_FILE");
    if (file)
        return from_file(file, ret, e);
    if (token && (user || password))
        return err_set(e, -FAULT_CREDENTIALS, "http: both SALVAGE_HTTP_TOKEN and SALVAGE_HTTP_USER are set: unset one");
    if (token && strlen(token) >= CREDENTIALS_MAX)
        return err_set(e, -FAULT_CREDENTIALS, "http: SALVAGE_HTTP_TOKEN is too long");
    if (token)
        return make_bearer(token, "SALVAGE_HTTP_TOKEN", ret, e);
    if (user || password)
        return from_pair(user, password, ret, e);
    *ret = NULL;
    return 0;
}
