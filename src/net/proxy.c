/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's lookup (lib/url.c, detect_proxy; lib/noproxy.c) once more. It does not report which proxy it has used
 * before 8.7 (CURLINFO_USED_PROXY), and names it in few of its messages.
 */
#include "net/proxy.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/proxyenv.h"

DEFINE_CLEANUP(CURLU *, curl_url_cleanup)
DEFINE_CLEANUP(char *, curl_free)

static const char SEPARATORS[] = ", \t";

/* "10.0.0.0/8" */
static bool in_network(const char *host, const char *network)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(network, '/');
    unsigned char theirs[16], ours[16];
    int family = strchr(network, ':') ? AF_INET6 : AF_INET;
    unsigned long bits = slash ? strtoul(slash + 1, NULL, 10) : 0, most = family == AF_INET ? 32 : 128;
    size_t whole = bits / 8;
    unsigned char mask = (unsigned char)(0xff00 >> (bits % 8));

    if (!slash || bits == 0 || bits > most || (size_t)(slash - network) >= sizeof(address))
        return false;
    snprintf(address, sizeof(address), "%.*s", (int)(slash - network), network);
    if (inet_pton(family, address, theirs) != 1 || inet_pton(family, host, ours) != 1 ||
        memcmp(theirs, ours, whole) != 0)
        return false;
    return bits % 8 == 0 || ((theirs[whole] ^ ours[whole]) & mask) == 0;
}

/* "example.com" and ".example.com" are it and all below it. */
static bool fits(const char *host, const char *name)
{
    size_t size, all = strlen(host);

    if (text_eq(name, "*") || in_network(host, name))
        return true;
    name += *name == '.';
    size = strlen(name);
    if (size == 0 || size > all || strcasecmp(host + all - size, name) != 0)
        return false;
    return size == all || host[all - size - 1] == '.';
}

static bool is_excepted(const char *host)
{
    const char *list = env_get("no_proxy") ? env_get("no_proxy") : env_get("NO_PROXY");
    CLEANUP_FREE char *copy = list ? strdup(list) : NULL;
    char *rest = NULL;

    for (char *name = copy ? strtok_r(copy, SEPARATORS, &rest) : NULL; name; name = strtok_r(NULL, SEPARATORS, &rest))
        if (fits(host, name))
            return true;
    return false;
}

/* Without brackets around an IPv6 address. */
static bool host_of(const char *url, char out[PROXY_HOST_MAX], char port[8], const char *default_port)
{
    CLEANUP(curl_url_cleanup_ptr) CURLU *u = curl_url();
    CLEANUP(curl_free_ptr) char *host = NULL, *number = NULL;
    size_t size;

    if (!u ||
        curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME | CURLU_PATH_AS_IS) !=
            CURLUE_OK ||
        curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || strlen(host) >= PROXY_HOST_MAX)
        return false;
    size = strlen(host);
    if (host[0] == '[' && host[size - 1] == ']')
        snprintf(out, PROXY_HOST_MAX, "%.*s", (int)(size - 2), host + 1);
    else
        snprintf(out, PROXY_HOST_MAX, "%s", host);
    snprintf(port, 8, "%s", curl_url_get(u, CURLUPART_PORT, &number, 0) == CURLUE_OK ? number : default_port);
    return true;
}

bool proxy_find(const char *url, struct proxy *ret)
{
    struct proxy p = {0};
    char host[PROXY_HOST_MAX], ignored[8];
    const char *value, *ignored_place;

    p.variable = proxyenv_name(text_starts(url, "https://"), &ignored_place);
    if (!p.variable || !host_of(url, host, ignored, "") || is_excepted(host))
        return false;
    value = env_get(p.variable);
    if (!host_of(value, p.host, p.port, text_starts(value, "https://") ? "443" : "1080"))
        return false;
    snprintf(p.text, sizeof(p.text), strchr(p.host, ':') ? "[%s]:%s" : "%s:%s", p.host, p.port);
    *ret = p;
    return true;
}
