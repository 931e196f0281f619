/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a store URL: what is accepted has the parts it should, is fit to be sent, and means the same when it is
 * put together and read again. Encoding is undone by decoding.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const PREFIXES[] = {[URL_S3] = "s3://",     [URL_OBS] = "obs://",     [URL_AZ] = "az://",
                                       [URL_HTTP] = "http://", [URL_HTTPS] = "https://", [URL_FILE] = "file://"};

static void check_parts(const struct url *u)
{
    size_t size = strlen(u->path);

    assert(size == 0 || u->path[size - 1] != '/');
    assert((u->scheme == URL_FILE) == (*u->authority == '\0'));
    assert(!strpbrk(u->authority, "/@?# \r\n"));
    if (u->scheme == URL_FILE) {
        assert(size == 0 || u->path[0] == '/');
        return;
    }
    assert(u->path[0] != '/');
    for (const char *p = u->path; *p; p++)
        assert((unsigned char)*p >= ' ' && *p != 0x7F);
    if (!url_in_bucket(u->scheme))
        assert(strspn(u->path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-._~/%!$&'()*+,;=:@") == size);
}

static void check_again(const struct url *u)
{
    CLEANUP_FREE char *path = u->scheme == URL_FILE ? url_encode(u->path, strlen(u->path), 1) : strdup(u->path);
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(url_done) struct url again = {0};

    assert(path);
    assert(buf_printf(&text, "%s%s%s%s", PREFIXES[u->scheme], u->authority, path[0] == '/' ? "" : "/", path) == 0);
    assert(url_parse(buf_text(&text), &again, NULL) == 0);
    assert(again.scheme == u->scheme);
    assert(strcmp(again.authority, u->authority) == 0);
    assert(strcmp(again.path, u->path) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    CLEANUP(url_done) struct url u = {0};
    struct err e = {0};

    assert(text);
    if (url_parse(text, &u, &e) == 0) {
        check_parts(&u);
        check_again(&u);
    } else {
        assert(!u.authority && !u.path && *e.msg);
    }

    struct url_parts p;
    if (url_split(text, &p) == 0)
        assert(p.host > text && p.host_size > 0 && p.host_size <= p.authority_size &&
               p.host + p.authority_size <= p.path && p.path <= text + strlen(text));

    for (int keep_slash = 0; keep_slash <= 1; keep_slash++) {
        CLEANUP_FREE char *encoded = url_encode(text, strlen(text), keep_slash);
        CLEANUP_FREE char *decoded = encoded ? url_decode(encoded, strlen(encoded)) : NULL;

        assert(decoded && strcmp(decoded, text) == 0);
    }
    CLEANUP_FREE char *decoded = url_decode((const char *)data, size);
    assert(decoded && strlen(decoded) <= size);
    return 0;
}
