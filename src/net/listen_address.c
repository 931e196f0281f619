/* SPDX-License-Identifier: Apache-2.0
 *
 * inet_pton and friends; a dual-stack socket for ":PORT".
 */
#include "net/listen_address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"

enum { BACKLOG = 512 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

const char *listen_address_format(const struct sockaddr *sa, bool with_port, char *out)
{
    char host[INET6_ADDRSTRLEN] = "";
    union address a = {0};
    unsigned port;

    memcpy(&a, sa, sa->sa_family == AF_INET6 ? sizeof(a.v6) : sizeof(a.v4));
    if (a.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr)) {
        struct in_addr v4;

        memcpy(&v4, a.v6.sin6_addr.s6_addr + 12, sizeof(v4));
        a.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = v4, .sin_port = a.v6.sin6_port};
    }
    port = ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
    if (a.any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host));
    else if (a.any.sa_family == AF_INET)
        inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host));
    if (!with_port)
        snprintf(out, LISTEN_ADDRESS_MAX, "%s", host);
    else
        snprintf(out, LISTEN_ADDRESS_MAX, a.any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, port);
    return out;
}

static int parse(const char *text, union address *ret)
{
    char host[INET6_ADDRSTRLEN];
    const char *colon = strrchr(text, ':'), *begin = text, *end = colon;
    uint64_t port;

    if (!colon || text_parse_uint(colon + 1, 65535, &port) < 0)
        return -EINVAL;
    *ret = (union address){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};
    if (colon == text)
        return 0;
    if (*begin == '[' && end[-1] == ']') {
        begin++;
        end--;
    } else if (memchr(begin, ':', (size_t)(end - begin))) {
        return -EINVAL;
    }
    if ((size_t)(end - begin) >= sizeof(host))
        return -EINVAL;
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    if (begin != text)
        return inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1 ? 0 : -EINVAL;
    *ret = (union address){.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
    return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

int listen_address_open(const char *text, char *address, struct err *e)
{
    CLEANUP_FD int fd = -1;
    union address a;
    int on = 1, off = 0;
    socklen_t size = sizeof(a);

    assert(text && address);
    if (parse(text, &a) < 0)
        return err_set(e, -FAULT_USAGE, "'%s' is no address to listen on: 127.0.0.1:8080, [::1]:8080 or :8080", text);
    fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && text[0] == ':') { /* a kernel without IPv6 */
        a = (union address){.v4 = {.sin_family = AF_INET, .sin_port = a.v6.sin6_port}};
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    if (fd < 0)
        return err_set(e, -errno, "%s: %s", text, strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a.any.sa_family == AF_INET6 && text[0] == ':')
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, &a.any, a.any.sa_family == AF_INET6 ? sizeof(a.v6) : sizeof(a.v4)) < 0 || listen(fd, BACKLOG) < 0)
        return err_set(e, -errno, "cannot listen on %s: %s", text, strerror(errno));
    if (getsockname(fd, &a.any, &size) < 0)
        return err_set(e, -errno, "%s: %s", text, strerror(errno));
    listen_address_format(&a.any, true, address);
    return TAKE_FD(fd);
}
