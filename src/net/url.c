/* SPDX-License-Identifier: Apache-2.0
 *
 * Store URLs taken apart. Refuses what would be misread later (queries, credentials, dot segments), and never repeats
 * in a message what could be a secret: of a URL that is not understood, only its scheme.
 */
#include "net/url.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

enum { BUCKET_MIN = 3, BUCKET_MAX = 63 };

static const struct {
    const char *name;
    enum url_scheme scheme;
} SCHEMES[] = {{"s3", URL_S3},     {"obs", URL_OBS},     {"az", URL_AZ},
               {"http", URL_HTTP}, {"https", URL_HTTPS}, {"file", URL_FILE}};

bool url_in_bucket(enum url_scheme scheme)
{
    return scheme == URL_S3 || scheme == URL_OBS || scheme == URL_AZ;
}

/* --- percent-encoding --------------------------------------------------------------------------------------------- */

static bool is_alnum(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

/* All but letters, digits and those in kept as %XX. */
static char *encode(const char *text, size_t size, const char *kept)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out, *p;

    if (size > (SIZE_MAX - 1) / 3 || !(out = malloc(3 * size + 1)))
        return NULL;
    p = out;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if (is_alnum(text[i]) || is_one_of(text[i], kept)) {
            *p++ = text[i];
            continue;
        }
        *p++ = '%';
        *p++ = digits[c >> 4];
        *p++ = digits[c & 15];
    }
    *p = '\0';
    return out;
}

char *url_encode(const char *text, size_t size, int keep_slash)
{
    return encode(text, size, keep_slash ? "-._~/" : "-._~");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *url_decode(const char *text, size_t size)
{
    char *out = malloc(size + 1);
    char *p = out;

    if (!out)
        return NULL;
    for (size_t i = 0; i < size; i++) {
        int high = text[i] == '%' && size - i > 2 ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

        if (low < 0 || high + low == 0) {
            *p++ = text[i];
            continue;
        }
        *p++ = (char)(high * 16 + low);
        i += 2;
    }
    *p = '\0';
    return out;
}

/* --- parsing ------------------------------------------------------------------------------------------------------ */

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            return true;
    return false;
}

/* A client resolves these, a server may, a store does not: they would name different objects. */
static bool has_dot_segment(const char *path)
{
    for (;; path++) {
        size_t size = strcspn(path, "/");

        if (size > 0 && size <= 2 && strspn(path, ".") >= size)
            return true;
        path += size;
        if (!*path)
            return false;
    }
}

/* The path without '/' at its end, and without those at its beginning unless it is a file's. */
static int take_path(const char *path, enum url_scheme scheme, char **ret, struct err *e)
{
    /* RFC 3986, 3.3: pchar, and '%' as it stands */
    static const char path_characters[] = "-._~/%!$&'()*+,;=:@";
    size_t size;
    char *p;

    if (scheme != URL_FILE) {
        path += strspn(path, "/");
        if (has_dot_segment(path))
            return err_set(e, -FAULT_USAGE, "store URL: '.' and '..' cannot be parts of its path");
    }
    size = strlen(path);
    while (size > 0 && path[size - 1] == '/')
        size--;
    if (url_in_bucket(scheme))
        p = strndup(path, size);
    else
        p = scheme == URL_FILE ? url_decode(path, size) : encode(path, size, path_characters);
    if (!p)
        return err_set(e, -ENOMEM, "out of memory");
    *ret = p;
    return 0;
}

/* As much of an authority as a message may repeat: what is behind a ':' may be a secret that went astray. */
static int shown(const char *authority)
{
    return (int)strcspn(authority, ":");
}

static int check_bucket(enum url_scheme scheme, const char *bucket, struct err *e)
{
    size_t size = strlen(bucket);

    if (size == 0)
        return err_set(e, -FAULT_NO_BUCKET_NAME, "store URL: no bucket in it: write %s://BUCKET/PREFIX",
                       scheme == URL_S3 ? "s3" : "obs");
    if (size < BUCKET_MIN || size > BUCKET_MAX)
        return err_set(e, -FAULT_USAGE, "store URL: '%.*s' is no bucket name: it has %zu characters, not %d to %d",
                       shown(bucket), bucket, size, BUCKET_MIN, BUCKET_MAX);
    for (const char *p = bucket; *p; p++)
        if (!is_alnum(*p) && !is_one_of(*p, ".-_"))
            return err_set(e, -FAULT_USAGE,
                           "store URL: '%.*s' is no bucket name: it may have letters, digits, '.', '-', '_'",
                           shown(bucket), bucket);
    return 0;
}

/* host, host:port, [IPv6], [IPv6]:port */
static bool is_host(const char *text)
{
    size_t size;
    uint64_t port;

    if (*text == '[') {
        size = strspn(text + 1, "0123456789abcdefABCDEF:.") + 2;
        if (size < 4 || text[size - 1] != ']')
            return false;
    } else {
        for (size = 0; is_alnum(text[size]) || is_one_of(text[size], "-._"); size++)
            ;
    }
    if (size == 0 || !text[size])
        return size > 0;
    return text[size] == ':' && text_parse_uint(text + size + 1, 65535, &port) == 0 && port > 0;
}

/* Microsoft, "Resource name rules": 3 to 24 of a-z 0-9. */
static int check_account(const char *account, struct err *e)
{
    size_t size = strlen(account);

    if (size == 0)
        return err_set(e, -FAULT_NO_BUCKET_NAME, "store URL: no account in it: write az://ACCOUNT/CONTAINER/PREFIX");
    if (size < 3 || size > 24 || strspn(account, "abcdefghijklmnopqrstuvwxyz0123456789") != size)
        return err_set(e, -FAULT_USAGE, "store URL: '%.*s' is no storage account: its name has 3 to 24 of a-z 0-9",
                       shown(account), account);
    return 0;
}

/* The path begins with the container. Microsoft, "Naming containers": 3 to 63 of a-z 0-9 '-'; $root, $web, $logs. */
static int check_container(const char *path, struct err *e)
{
    size_t size = strcspn(path, "/");

    if (size == 0)
        return err_set(e, -FAULT_NO_BUCKET_NAME, "store URL: no container in it: write az://ACCOUNT/CONTAINER/PREFIX");
    if (size < 3 || size > 63 || strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789-$") < size)
        return err_set(e, -FAULT_USAGE, "store URL: '%.*s' is no container: its name has 3 to 63 of a-z 0-9 -",
                       (int)(size < 64 ? size : 64), path);
    return 0;
}

static int check_authority(enum url_scheme scheme, const char *authority, struct err *e)
{
    if (scheme == URL_AZ)
        return check_account(authority, e);
    if (url_in_bucket(scheme))
        return check_bucket(scheme, authority, e);
    if (scheme == URL_FILE)
        return *authority ? err_set(e, -FAULT_USAGE, "store URL: write file:///folder, with three slashes and no host")
                          : 0;
    if (is_host(authority))
        return 0;
    return err_set(e, -FAULT_USAGE, "store URL: '%.*s' is no host name, or :PORT behind it is none from 1 to 65535",
                   shown(authority), authority);
}

/* What no URL of this scheme may hold; before anything of it is repeated in a message. */
static int check_text(enum url_scheme scheme, const char *authority, size_t authority_size, struct err *e)
{
    if (has_control(authority))
        return err_set(e, -FAULT_USAGE, "store URL: control characters in it");
    if (scheme == URL_FILE)
        return strstr(authority, "%00") ? err_set(e, -FAULT_USAGE, "store URL: %%00 cannot be part of a path") : 0;
    if (memchr(authority, '@', authority_size))
        return err_set(e, -FAULT_USAGE,
                       "store URL: a user or password in it would be seen in the list of processes: "
                       "use the environment or --credentials-file");
    if (scheme == URL_AZ && strchr(authority, '?'))
        return err_set(e, -FAULT_USAGE,
                       "store URL: a SAS in it would be seen in the list of processes: put what is "
                       "behind its '?' into AZURE_STORAGE_SAS_TOKEN");
    if (!url_in_bucket(scheme) && strpbrk(authority, "?#"))
        return err_set(e, -FAULT_USAGE, "store URL: it cannot have a query ('?') or a fragment ('#')");
    return 0;
}

/* The scheme that text begins with, and what follows its "://". */
static int take_scheme(const char *text, enum url_scheme *ret, const char **ret_rest, struct err *e)
{
    size_t size = strcspn(text, ":/@?# ");

    if (size == 0 || strncmp(text + size, "://", 3) != 0)
        return err_set(
            e, -FAULT_SCHEME,
            "store URL: no scheme in it: write s3://BUCKET/PREFIX, obs://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX, "
            "https://HOST/PATH or file:///FOLDER");
    for (size_t i = 0; i < ARRAY_SIZE(SCHEMES); i++) {
        if (strlen(SCHEMES[i].name) != size || strncasecmp(SCHEMES[i].name, text, size) != 0)
            continue;
        *ret = SCHEMES[i].scheme;
        *ret_rest = text + size + 3;
        return 0;
    }
    return err_set(e, -FAULT_SCHEME,
                   "store URL: unknown scheme '%.*s://': there are s3://, obs://, az://, https://, http:// and file://",
                   size < 32 ? (int)size : 32, text);
}

int url_parse(const char *text, struct url *ret, struct err *e)
{
    CLEANUP(url_done) struct url u = {0};
    const char *rest = text;
    size_t size;
    int r;

    if ((r = take_scheme(text, &u.scheme, &rest, e)) < 0)
        return r;
    size = strcspn(rest, "/");
    if ((r = check_text(u.scheme, rest, size, e)) < 0)
        return r;
    if (!(u.authority = strndup(rest, size)))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = check_authority(u.scheme, u.authority, e)) < 0)
        return r;
    if (u.scheme == URL_FILE && rest[size] != '/')
        return err_set(e, -FAULT_USAGE, "store URL: no folder in it: write file:///FOLDER");
    if ((r = take_path(rest + size, u.scheme, &u.path, e)) < 0 || !u.path ||
        (u.scheme == URL_AZ && (r = check_container(u.path, e)) < 0))
        return r;
    *ret = u;
    u = (struct url){0};
    return 0;
}

void url_done(struct url *u)
{
    free(u->authority);
    free(u->path);
    *u = (struct url){0};
}

/* --- addresses of services ---------------------------------------------------------------------------------------- */

static bool is_port(const char *text, size_t size, unsigned *ret)
{
    unsigned port = 0;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || (port = port * 10 + (unsigned)(text[i] - '0')) > 65535)
            return false;
    }
    *ret = port;
    return port > 0;
}

char *url_take_last_part(struct url *u)
{
    char *slash = strrchr(u->path, '/'), *name = slash ? slash + 1 : u->path, *taken;

    taken = u->scheme == URL_HTTP || u->scheme == URL_HTTPS ? url_decode(name, strlen(name)) : strdup(name);
    if (taken)
        *(slash ? slash : u->path) = '\0';
    return taken;
}

int url_split(const char *text, struct url_parts *ret)
{
    struct url_parts p = {.https = strncasecmp(text, "https://", 8) == 0};
    const char *end;
    unsigned port;

    if (!p.https && strncasecmp(text, "http://", 7) != 0)
        return -EINVAL;
    p.host = text + (p.https ? 8 : 7);
    p.authority_size = strcspn(p.host, "/?#");
    p.path = p.host + p.authority_size;
    if (memchr(p.host, '@', p.authority_size))
        return -EINVAL;
    end = *p.host == '[' ? memchr(p.host, ']', p.authority_size) : p.host + strcspn(p.host, ":/?#");
    if (!end)
        return -EINVAL;
    p.host_size = (size_t)(end - p.host) + (*p.host == '[');
    end = p.host + p.host_size;
    if (p.host_size == 0 || (end < p.path && (*end != ':' || !is_port(end + 1, (size_t)(p.path - end) - 1, &port))))
        return -EINVAL;
    if (end < p.path && port == (p.https ? 443 : 80))
        p.authority_size = p.host_size;
    *ret = p;
    return 0;
}

static int add_encoded(struct buf *url, const char *text, bool slashes)
{
    CLEANUP_FREE char *encoded = url_encode(text, strlen(text), slashes);

    return encoded ? buf_add_text(url, encoded) : -ENOMEM;
}

int url_add_query(struct buf *url, const char *name, const char *value)
{
    int r;

    if (!value || !*value)
        return 0;
    if ((r = buf_printf(url, "%c%s=", strchr(buf_text(url), '?') ? '&' : '?', name)) < 0)
        return r;
    return add_encoded(url, value, false);
}

int url_add_path(struct buf *url, const char *path)
{
    return add_encoded(url, path, true);
}
