/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Folder listings of HTTP file servers: nginx's `autoindex_format json` (array of
 * {name,type,mtime,size}) and the HTML pages of nginx and Apache (links relative to the page, one level down; others
 * are ignored).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct autoindex_entry {
    char *name; /* decoded, no '/' */
    bool folder;
    uint64_t size;   /* 0 unknown */
    int64_t time_ns; /* 0 unknown */
};

struct autoindex {
    struct autoindex_entry *entry; /* owned */
    size_t count;
};

/* 0, -EBADMSG if it is neither, -ENOMEM; ret is untouched on failure. Names "." and "..", with '/', NUL or control
 * characters are dropped, and so are JSON's names that are not UTF-8: JSON can't express their bytes. Times
 * and sizes of HTML pages are nginx's only (UTC unless autoindex_localtime is on, to the minute). */
int autoindex_decode(const char *data, size_t size, struct autoindex *ret);
void autoindex_done(struct autoindex *a);
