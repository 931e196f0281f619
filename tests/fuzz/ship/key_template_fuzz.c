/* SPDX-License-Identifier: Apache-2.0
 *
 * Any template that passes the check, any values: the key matches the template, holds the id, and is one that every
 * store can take. And any key against any template: the two never disagree about what a key is.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/key_template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUES_MAX = 16 };

/* The input as texts, each with a NUL behind it: the template, then the values. */
struct input {
    char *bytes; /* owned */
    const char *template;
    const char *value[VALUES_MAX];
    size_t count;
    char id[TEMPLATE_ID_SIZE + 1];
};

static const char *value_of(void *ctx, const char *name)
{
    const struct input *in = ctx;
    size_t i = 0;

    if (text_eq(name, "id"))
        return in->id;
    while (!text_eq(TEMPLATE_VARIABLES[i].name, name))
        i++;
    return in->count > 0 ? in->value[i % in->count] : NULL;
}

static void check_key(const char *key)
{
    assert(*key);
    for (;; key++) {
        size_t size = strcspn(key, "/");

        assert(size > 0 && size <= TEMPLATE_SEGMENT_MAX);
        assert(!(size == 1 && key[0] == '.') && !(size == 2 && key[0] == '.' && key[1] == '.'));
        for (size_t i = 0, n; i < size; i += n) {
            n = text_utf8_length(key + i, size - i);
            assert(n > 0 && (unsigned char)key[i] >= ' ' && key[i] != 0x7F);
        }
        key += size;
        if (!*key)
            return;
    }
}

static void check_fill(const char *template, struct input *in)
{
    CLEANUP_FREE char *key = template_fill(template, value_of, in);

    assert(key);
    check_key(key);
    assert(strstr(key, in->id));
    assert(template_match(template, key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *bytes = malloc(size + 1);
    struct input in = {.bytes = bytes, .template = bytes};
    struct err e = {0};
    char seed[TEMPLATE_ID_SIZE / 2] = "";

    assert(bytes);
    memcpy(bytes, data, size);
    bytes[size] = '\0';
    memcpy(seed, data, size < sizeof(seed) ? size : sizeof(seed));
    text_hex(seed, sizeof(seed), in.id);
    for (size_t at = strlen(bytes) + 1; at <= size && in.count < VALUES_MAX; at += strlen(bytes + at) + 1)
        in.value[in.count++] = bytes + at;

    check_fill(TEMPLATE_DEFAULT, &in);
    if (template_check(in.template, &e) < 0)
        assert(*e.msg);
    else
        check_fill(in.template, &in);
    for (size_t i = 0; i < in.count; i++)
        if (template_match(in.template, in.value[i]) || template_match(TEMPLATE_DEFAULT, in.value[i]))
            check_key(in.value[i]);
    return 0;
}
