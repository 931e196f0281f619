/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl finds out at the first request, and then says little.
 */
#include "net/proxyenv.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/env.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const NAMES[2][4] = {{"http_proxy", "all_proxy", "ALL_PROXY"},
                                        {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}};
static const char *const SCHEMES[] = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};

const char *proxyenv_name(bool tls, const char **ret_place)
{
    for (size_t i = 0; i < ARRAY_SIZE(NAMES[tls]) && NAMES[tls][i]; i++) {
        const char *value = env_get(NAMES[tls][i]), *at;

        if (!value)
            continue;
        at = strrchr(value, '@');
        *ret_place = at ? at + 1 : value;
        return NAMES[tls][i];
    }
    return NULL;
}

static bool scheme_known(const char *value, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(SCHEMES); i++)
        if (strlen(SCHEMES[i]) == size && strncasecmp(SCHEMES[i], value, size) == 0)
            return true;
    return false;
}

/* HOST[:PORT] up to the end or a '/'. */
static bool place_valid(const char *place)
{
    size_t size = strcspn(place, "/"), host = *place == '[' ? strcspn(place, "]") + 1 : strcspn(place, ":/");
    unsigned port = 0;

    if (host == 0 || host > size || (*place == '[' && host < 4))
        return false;
    for (size_t i = 0; i < host; i++)
        if (!isalnum((unsigned char)place[i]) && !strchr("-._", place[i]) &&
            !(*place == '[' && strchr("[]:%", place[i])))
            return false;
    if (host == size)
        return true;
    if (place[host] != ':' || host + 1 == size || size - host > 6)
        return false;
    for (size_t i = host + 1; i < size; i++) {
        if (!isdigit((unsigned char)place[i]))
            return false;
        port = port * 10 + (unsigned)(place[i] - '0');
    }
    return port > 0 && port <= 65535;
}

/* Whether no_proxy may match the host; libcurl decides whether it does. */
static bool is_excepted(const char *host)
{
    const char *list = env_get("no_proxy") ? env_get("no_proxy") : env_get("NO_PROXY");
    const char *dot = strchr(host, '.');

    return list && (strchr(list, '*') || strstr(list, host) || (dot && strstr(list, dot)) || strchr(list, '/'));
}

int proxyenv_check(bool tls, const char *host, struct err *e)
{
    const char *place, *name = proxyenv_name(tls, &place), *value, *scheme;

    if (!name || is_excepted(host))
        return 0;
    value = env_get(name);
    scheme = strstr(value, "://");
    if (scheme && !scheme_known(value, (size_t)(scheme - value)))
        return err_set(e, -FAULT_USAGE,
                       "%s: '%.*s' is no kind of proxy: http, https, socks4, socks4a, socks5 or socks5h", name,
                       (int)(scheme - value), value);
    if (place == value && scheme)
        place = scheme + 3;
    return place_valid(place) ? 0
                              : err_set(e, -FAULT_USAGE,
                                        "%s: '%s' is not the address of a proxy, as in http://HOST:3128", name, place);
}
