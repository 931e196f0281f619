/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads of HTTP answers: any bytes may come, no lookup may read beyond them, and what comes out is a short clean text.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "net/httphead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"ETag", "Content-Length", "Retry-After", "Date", "x-amz-checksum-sha256", "a"};
    const char *head = (const char *)data;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char value[64];
        const char *found = httphead_get(head, size, names[i], value, sizeof(value));
        if (!found)
            continue;
        assert(found == value && memchr(value, '\0', sizeof(value)));
        assert(!strchr(value, '\n'));
        assert(*value != ' ' && *value != '\t');
    }
    assert(httphead_retry_after_ms(head, size, 784111777000000000) <= 24u * 60 * 60 * 1000);
    return 0;
}
