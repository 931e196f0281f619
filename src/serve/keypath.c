/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Strict: what we would have to repair is refused.
 */
#include "serve/keypath.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { PART_MAX = 255 };

/* Decodes into out[KEYPATH_MAX + 1]; its size, or -EINVAL. */
static int decode(const char *text, char *out)
{
    int size = 0;

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '%') {
            if (!isxdigit((unsigned char)text[1]) || !isxdigit((unsigned char)text[2]))
                return -EINVAL;
            char hex[3] = {text[1], text[2], 0};

            if (text_unhex(hex, &byte, 1) < 0 || byte == '/')
                return -EINVAL;
            text += 2;
        }
        if (byte < 0x20 || byte == 0x7f || size == KEYPATH_MAX)
            return -EINVAL;
        out[size++] = (char)byte;
    }
    out[size] = '\0';
    return size;
}

static bool parts_are_good(const char *key)
{
    while (*key) {
        size_t size = strcspn(key, "/");

        if (size == 0 || size > PART_MAX || (size == 1 && key[0] == '.') ||
            (size == 2 && key[0] == '.' && key[1] == '.'))
            return false;
        key += size + (key[size] == '/');
    }
    return true;
}

int keypath_decode(const char *path, char **ret_key, char **ret_namespace)
{
    CLEANUP_FREE char *key = NULL, *namespace = NULL;
    char decoded[KEYPATH_MAX + 1] = "";
    const char *slash;

    assert(path && ret_key && ret_namespace);
    if (*path != '/' || decode(path + 1, decoded) < 0 || !parts_are_good(decoded))
        return -EINVAL;
    slash = strchr(decoded, '/');
    key = strdup(decoded);
    namespace = strndup(decoded, slash ? (size_t)(slash - decoded) : 0);
    if (!key || !namespace)
        return -ENOMEM;
    *ret_key = TAKE_PTR(key);
    *ret_namespace = TAKE_PTR(namespace);
    return 0;
}
