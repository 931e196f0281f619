/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses and networks, both families as one.
 */
#include "serve/trusted_proxy.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { ADDRESS_TEXT = 64, V4_PREFIX = 96, BITS = 128 };

/* The bits that the family has before the address begins, or -1: it is no address. */
static int parse(const char *text, unsigned char out[16])
{
    memset(out, 0, 16);
    if (inet_pton(AF_INET6, text, out) == 1)
        return 0;
    if (inet_pton(AF_INET, text, out + 12) != 1)
        return -1;
    out[10] = out[11] = 0xff;
    return V4_PREFIX;
}

int trusted_proxies_add(struct trusted_proxies *p, const char *text, struct err *e)
{
    struct trusted_proxy new = {.bits = BITS};
    const char *slash = strchr(text, '/');
    char address[ADDRESS_TEXT];
    uint64_t bits = 0;
    int before;

    assert(p && text);
    snprintf(address, sizeof(address), "%.*s", slash ? (int)(slash - text) : (int)strlen(text), text);
    before = parse(address, new.address);
    if (before < 0 || (slash && text_parse_uint(slash + 1, (uint64_t)(BITS - before), &bits) < 0))
        return err_set(e, -FAULT_USAGE, "--trust-proxy %s: an address or a network, such as 10.0.0.7 or 10.0.0.0/24",
                       text);
    if (p->count == TRUSTED_PROXIES_MAX)
        return err_set(e, -FAULT_USAGE, "--trust-proxy: at most %d", TRUSTED_PROXIES_MAX);
    if (slash)
        new.bits = (unsigned)before + (unsigned)bits;
    p->item[p->count++] = new;
    return 0;
}

static bool covers(const struct trusted_proxy *p, const unsigned char address[16])
{
    unsigned whole = p->bits / 8, rest = p->bits % 8;

    if (memcmp(p->address, address, whole) != 0)
        return false;
    return rest == 0 || (p->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool trusted_proxies_has(const struct trusted_proxies *p, const char *address)
{
    unsigned char bytes[16];

    if (p->count == 0 || parse(address, bytes) < 0)
        return false;
    for (unsigned i = 0; i < p->count; i++)
        if (covers(&p->item[i], bytes))
            return true;
    return false;
}

bool trusted_proxy_client(const char *header, char *out, size_t size)
{
    const char *comma = strrchr(header, ','), *from = comma ? comma + 1 : header;
    unsigned char bytes[16];
    size_t length;

    from += strspn(from, " \t");
    length = strcspn(from, " \t");
    if (length == 0 || length >= size || from[length + strspn(from + length, " \t")])
        return false;
    memcpy(out, from, length);
    out[length] = '\0';
    return parse(out, bytes) >= 0;
}
