/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Reverse proxies in front of us, such as oauth2-proxy: the addresses whose headers X-Forwarded-… are
 * believed. From anywhere else they mean nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { TRUSTED_PROXIES_MAX = 64 };

struct trusted_proxies {
    struct trusted_proxy {
        unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
        unsigned bits;
    } item[TRUSTED_PROXIES_MAX];
    unsigned count;
};

/* "10.0.0.7", "10.0.0.0/24", "fd00::/64". -FAULT_USAGE. */
int trusted_proxies_add(struct trusted_proxies *p, const char *text, struct err *e);

/* address: of a connection, "10.0.0.7" or "fd00::1". */
bool trusted_proxies_has(const struct trusted_proxies *p, const char *address);

/* The last address of a header X-Forwarded-For, which the proxy itself has added, into out[size]; false: it is none. */
bool trusted_proxy_client(const char *header, char *out, size_t size);
