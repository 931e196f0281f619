/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials for a file server: Basic (RFC 7617) or Bearer (RFC 6750). Half a pair or a malformed file is an error:
 * to go on without would be a surprise. What was read is wiped from the stack.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/http/http_auth.h"

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

/* The file's first line, into text[CREDENTIALS_MAX]. */
static int read_line(const char *path, char *text, struct err *e)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -errno : file_read(fd, text, CREDENTIALS_MAX);

    if (size < 0)
        return err_set(e, -FAULT_CREDENTIALS, "http: the credentials file %s cannot be read: %s", path,
                       strerror((int)-size));
    if ((size_t)size == CREDENTIALS_MAX)
        return err_set(e, -FAULT_CREDENTIALS, "http: the credentials file %s is too large", path);
    text[size] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    return 0;
}

static int from_file(const char *path, struct secret **ret, struct err *e)
{
    char text[CREDENTIALS_MAX] = "";
    int r = read_line(path, text, e);

    if (r == 0)
        r = from_text(text, path, ret, e);
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

/* A token alone, whatever characters it has. */
static int from_token_file(const char *path, struct secret **ret, struct err *e)
{
    char text[CREDENTIALS_MAX] = "";
    int r = read_line(path, text, e);

    if (r == 0)
        r = make_bearer(text, path, ret, e);
    explicit_bzero(text, sizeof(text));
    return r;
}

static int from_environment(struct secret **ret, struct err *e)
{
    const char *token = env_get("SALVAGE_HTTP_TOKEN"), *user = env_get("SALVAGE_HTTP_USER"),
               *password = env_get("SALVAGE_HTTP_PASSWORD");

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

/* The file that counts; NULL: none. */
static const char *file_of(const char *file, bool *ret_is_token)
{
    if (!file)
        file = env_get("SALVAGE_CREDENTIALS_FILE");
    *ret_is_token = !file && env_get("SALVAGE_TOKEN_FILE");
    return *ret_is_token ? env_get("SALVAGE_TOKEN_FILE") : file;
}

int http_auth_get(const char *file, struct secret **ret, struct err *e)
{
    bool is_token;

    if (!(file = file_of(file, &is_token)))
        return from_environment(ret, e);
    return is_token ? from_token_file(file, ret, e) : from_file(file, ret, e);
}

/* A value that requests under way may still use. */
struct earlier {
    struct earlier *next;
    struct secret *secret;
};

struct http_auth {
    char *file; /* NULL: from the environment */
    bool is_token;
    struct stat stat; /* of the file when it was read */
    pthread_mutex_t lock;
    struct secret *secret;
    struct earlier *earlier;
};

int http_auth_new(const char *file, struct http_auth **ret, struct err *e)
{
    struct http_auth a = {.lock = PTHREAD_MUTEX_INITIALIZER}, *made;
    int r;

    file = file_of(file, &a.is_token);
    if (file)
        (void)stat(file, &a.stat);
    if ((r = http_auth_get(a.is_token ? NULL : file, &a.secret, e)) < 0)
        return r;
    *ret = NULL;
    if (!a.secret)
        return 0;
    a.file = file ? strdup(file) : NULL;
    made = malloc(sizeof(*made));
    if (!made || (file && !a.file)) {
        secret_free(a.secret);
        free(a.file);
        free(made);
        return err_set(e, -ENOMEM, "out of memory");
    }
    *made = a;
    *ret = made;
    return 0;
}

void http_auth_free(struct http_auth *a)
{
    if (!a)
        return;
    while (a->earlier) {
        struct earlier *one = a->earlier;

        a->earlier = one->next;
        secret_free(one->secret);
        free(one);
    }
    secret_free(a->secret);
    pthread_mutex_destroy(&a->lock);
    free(a->file);
    free(a);
}

static bool has_changed(const struct stat *a, const struct stat *b)
{
    return a->st_ino != b->st_ino || a->st_dev != b->st_dev || a->st_size != b->st_size ||
           a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

static void read_again(struct http_auth *a, const struct stat *st)
{
    struct earlier *earlier = calloc(1, sizeof(*earlier));
    struct secret *secret = NULL;
    struct err ignored;
    int r = -ENOMEM;

    if (earlier)
        r = a->is_token ? from_token_file(a->file, &secret, &ignored) : from_file(a->file, &secret, &ignored);
    if (r < 0) {
        free(earlier);
        return;
    }
    a->stat = *st;
    *earlier = (struct earlier){a->earlier, a->secret};
    a->earlier = earlier;
    a->secret = secret;
}

const struct secret *http_auth_current(struct http_auth *a)
{
    const struct secret *secret;
    struct stat st;

    pthread_mutex_lock(&a->lock);
    if (a->file && stat(a->file, &st) == 0 && has_changed(&st, &a->stat))
        read_again(a, &st);
    secret = a->secret;
    pthread_mutex_unlock(&a->lock);
    return secret;
}
