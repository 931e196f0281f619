/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text: what is read is an object, not deeper than it may be, and not larger.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>

#include "base/json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned levels(const json_t *value)
{
    unsigned deepest = 0, of_item;
    const char *key;
    json_t *item;
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)value, key, item) if ((of_item = levels(item)) > deepest) deepest =
        of_item;
    json_array_foreach(value, i, item) if ((of_item = levels(item)) > deepest) deepest = of_item;
    return deepest + (json_is_object(value) || json_is_array(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *root = json_read_object((const char *)data, size, 1024);

    if (!root)
        return 0;
    assert(json_is_object(root) && size <= 1024 && levels(root) <= JSON_READ_DEPTH);
    assert(json_read_text(root, "a"));
    json_decref(root);
    return 0;
}
