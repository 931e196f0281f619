/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The head of a request (RFC 9112): whether it is whole, and whether every server between us and the
 * client must understand it as we do. What could be read in two ways is refused: it is how requests are smuggled.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_HEAD_MAX = 16 * 1024, /* all of it */
    HTTP_TARGET_MAX = 8000,
    HTTP_FIELDS_MAX = 64,
};

struct http_request_head {
    size_t size;        /* bytes up to the end of the blank line; empty lines in front of the request included */
    uint64_t body_size; /* Content-Length; 0 without */
    bool chunked;
    bool is_old;     /* HTTP/1.0 */
    bool persistent; /* HTTP/1.1, and the client has not said "Connection: close" */
};

/* 1: a whole head, *ret is set. 0: its end has not come (size is below HTTP_HEAD_MAX). Else the status to refuse it
 * with, negative (-400, -413, -414, -417, -431, -501, -505), and *ret_why, which is constant. */
int http_request_head_check(const char *data, size_t size, struct http_request_head *ret, const char **ret_why);
