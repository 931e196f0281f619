/* SPDX-License-Identifier: Apache-2.0
 *
 * Layouts: any layout, any path; what is read are names that may stand in a key.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "place/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    struct layout l = {.level = {LAYOUT_NAMESPACE, LAYOUT_POD}, .count = 2}, other;
    struct layout_names n;
    struct err e = {0};

    if (!text)
        return 0;
    if (layout_parse(text, &other, &e) == 0 && (other.count == 0 || other.count > 4))
        abort();
    if (!layout_read(&l, "/d", text, &n))
        return 0;
    if (!*n.name[LAYOUT_POD] || strpbrk(n.name[LAYOUT_POD], "/\n") || n.name[LAYOUT_NAMESPACE][0] == '.')
        abort();
    return 0;
}
