/* SPDX-License-Identifier: Apache-2.0
 *
 * Any path of a request: what is accepted is a key that leads nowhere else, and the same key when it is encoded and
 * decoded again.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/url.h"
#include "serve/keypath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_key(const char *key, const char *namespace)
{
    CLEANUP_FREE char *slashed = NULL, *encoded = url_encode(key, strlen(key), 1), *again = NULL, *other = NULL;
    CLEANUP(buf_done) struct buf path = {0};

    assert(asprintf(&slashed, "/%s/", key) > 0 && encoded);
    assert(strlen(key) <= KEYPATH_MAX && *key != '/' && !strstr(slashed, "/../") && !strstr(slashed, "/./"));
    assert(strncmp(key, namespace, strlen(namespace)) == 0 && !strchr(namespace, '/'));
    assert(buf_printf(&path, "/%s", encoded) == 0);
    assert(keypath_decode(buf_text(&path), &again, &other) == 0);
    assert(strcmp(again, key) == 0 && strcmp(other, namespace) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size), *key = NULL, *namespace = NULL;

    assert(text);
    if (keypath_decode(text, &key, &namespace) == 0)
        check_key(key, namespace);
    else
        assert(!key && !namespace);
    return 0;
}
