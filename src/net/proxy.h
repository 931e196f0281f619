/* SPDX-License-Identifier: Apache-2.0
 *
 * Which proxy the environment names for a URL, as libcurl finds it: https_proxy, HTTPS_PROXY, http_proxy (in capitals
 * it would be a CGI's header), then all_proxy and ALL_PROXY; but for the hosts of no_proxy or NO_PROXY. It is libcurl
 * that uses it: this is for what is said when that fails.
 */
#pragma once

#include <stdbool.h>

enum { PROXY_HOST_MAX = 256 };

struct proxy {
    char host[PROXY_HOST_MAX], port[8];
    char text[PROXY_HOST_MAX + 8]; /* "HOST:PORT", never a user or a password */
    const char *variable;          /* that names it */
};

/* false: none, or one that makes no sense; ret is untouched then. */
bool proxy_find(const char *url, struct proxy *ret);
