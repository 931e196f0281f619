/* SPDX-License-Identifier: Apache-2.0
 *
 * Any field: a SHA-256 that is found is the same when it is written and read again.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "net/digest_field.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *field = strndup((const char *)data, size);
    struct digest_field found = {0}, again;
    char text[DIGEST_FIELD_MAX];

    assert(field);
    if (digest_field_parse(field, &found) < 0) {
        assert(!found.has_sha256 && !found.has_sha512);
    } else if (found.has_sha256) {
        assert(digest_field_parse(digest_field_format(found.sha256, text), &again) == 0);
        assert(again.has_sha256 && memcmp(again.sha256, found.sha256, sizeof(found.sha256)) == 0);
    }
    return 0;
}
