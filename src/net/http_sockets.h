/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's sockets of one handle, and the kernel's counters of their queues: bytes move there that libcurl does not
 * count. For http.c and http_transfer.c.
 */
#pragma once

#include <curl/curl.h>
#include <stdint.h>

enum { HTTP_SOCKETS_MAX = 8 }; /* the kept ones, and two addresses of a host tried at once */

struct http_sockets {
    curl_socket_t fd[HTTP_SOCKETS_MAX]; /* -1: free */
};

/* Has libcurl open and close its sockets here. */
CURLcode http_sockets_init(struct http_sockets *s, CURL *c);

/* Bytes that libcurl has written and the peer has not acknowledged. */
uint64_t http_sockets_unsent(const struct http_sockets *s);

/* Bytes that have ever arrived, read by libcurl or not. */
uint64_t http_sockets_received(const struct http_sockets *s);
