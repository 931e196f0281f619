/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Levels are counted before the parser sees anything.
 */
#include "base/json_read.h"

bool json_read_is_shallow(const char *text, size_t size)
{
    bool in_string = false;
    unsigned depth = 0;

    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_READ_DEPTH)
                return false;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return true;
}

json_t *json_read_object(const char *text, size_t size, size_t size_max)
{
    json_t *root;

    if (!text || size > size_max || !json_read_is_shallow(text, size))
        return NULL;
    root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (root && !json_is_object(root)) {
        json_decref(root);
        return NULL;
    }
    return root;
}

const char *json_read_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

uint64_t json_read_count(const json_t *object, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(object, name));

    return n > 0 ? (uint64_t)n : 0;
}
