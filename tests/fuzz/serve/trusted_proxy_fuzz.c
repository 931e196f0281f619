/* SPDX-License-Identifier: Apache-2.0
 *
 * Any header X-Forwarded-For and any option: a client that is taken is an address, and a network covers its own
 * address.
 */
#undef NDEBUG
#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/trusted_proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_address(const char *text)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    struct trusted_proxies p = {0};
    struct err e = {0};
    char client[64];

    assert(text);
    if (trusted_proxy_client(text, client, sizeof(client)))
        assert(is_address(client) && strstr(text, client));
    if (trusted_proxies_add(&p, text, &e) < 0) {
        assert(p.count == 0 && *e.msg);
        return 0;
    }
    assert(p.count == 1 && p.item[0].bits <= 128);
    text[strcspn(text, "/")] = '\0';
    assert(trusted_proxies_has(&p, text));
    return 0;
}
