/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Store URLs as users write them:
 *   s3://bucket/prefix   obs://bucket/prefix   az://account/container/prefix
 *   http://host[:port]/path   https://…   file:///dir
 * Takes text, gives text; knows nothing of endpoints or credentials. A user:password@ in an http URL is refused:
 * it would stand in `ps` (credentials come from the environment or a file).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum url_scheme { URL_S3, URL_OBS, URL_AZ, URL_HTTP, URL_HTTPS, URL_FILE };

struct url {
    enum url_scheme scheme;
    char *authority; /* bucket, account, or host[:port]; "" for file */
    char *path;      /* without leading (but for file) and trailing '/'; "" at the root. file: percent-decoded; http: as
                        written, and bytes that no URL may hold encoded; s3, obs, az: as written, nothing is an escape */
};

/* s3, obs, az: names and keys, no URL in the sense of RFC 3986. */
bool url_in_bucket(enum url_scheme scheme);

/* -FAULT_SCHEME, -FAULT_NO_BUCKET_NAME, -FAULT_USAGE, -ENOMEM. Bucket names follow S3's rules loosely
 * (3 to 63 of a-z 0-9 . - _ and A-Z for old and foreign stores). Parts '.' and '..' are refused but for file, queries
 * and fragments for http, and '?' for az, as a SAS would follow; else '?' and '#' are themselves. */
int url_parse(const char *text, struct url *ret, struct err *e);
void url_done(struct url *u);

/* Takes the last part off the path: the rest is a store as good as the whole. The part, decoded for http, malloc'ed: ""
 * if the path ends with '/'. NULL without memory. */
char *url_take_last_part(struct url *u);

/* The address of an HTTP service, taken apart; borrowed from its text. */
struct url_parts {
    bool https;
    const char *host;      /* not checked */
    size_t host_size;      /* with the brackets of an IPv6 address */
    size_t authority_size; /* host[:port] as the Host header has it: without the scheme's own port */
    const char *path;      /* what follows: "", or from '/', '?' or '#' on */
};

/* "http(s)://HOST[:PORT][…]": 0, or -EINVAL: another scheme, no host, no port from 1 to 65535, or a user in it. */
int url_split(const char *text, struct url_parts *ret);

/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ (RFC 3986, 2.3), and '/' too unless keep_slash. malloc'ed. */
char *url_encode(const char *text, size_t size, int keep_slash);
/* %XX decoded; malformed escapes and %00, which would cut the text short, are kept as they are. malloc'ed. */
char *url_decode(const char *text, size_t size);

/* Appends "&name=value" (or "?name=value", if url has no '?'), percent-encoded; NULL or "" as value: nothing. name: the
 * program's own word. 0, -ENOMEM, -EMSGSIZE. */
int url_add_query(struct buf *url, const char *name, const char *value);

/* Appends a path, percent-encoded but for its '/'. */
int url_add_path(struct buf *url, const char *path);
