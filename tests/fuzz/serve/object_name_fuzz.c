/* SPDX-License-Identifier: Apache-2.0
 *
 * Any key and any name in a manifest: headers of one line, whose quotes are closed.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/object_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *key = strndup((const char *)data, size), *name = NULL;
    char file[OBJECT_NAME_MAX], header[OBJECT_DISPOSITION_MAX];
    size_t used = strlen(key), quotes = 0;

    name = strndup(used < size ? (const char *)data + used + 1 : "", used < size ? size - used - 1 : 0);
    assert(key && name);
    for (int i = 0; i < 4; i++) {
        struct manifest m = {.name = name, .kind = i & 2 ? name : NULL};
        const struct object_name n = {key, i & 2 ? &m : NULL, i & 1};

        object_name_file(&n, file);
        assert(*file && *file != '.' && !strchr(file, '/'));
        object_name_disposition(&n, header);
        quotes = 0;
        for (const char *c = header; *c; c++) {
            assert((unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f);
            quotes += *c == '"';
        }
        assert(quotes == 2);
        assert(!strstr(object_name_type(&n), "html"));
        object_name_is_record(key);
    }
    return 0;
}
