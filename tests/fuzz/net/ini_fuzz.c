/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a credentials file: a value that is found stands in the file, on one line, in a section that is there;
 * and whatever the file holds, a section put at its end is read.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "net/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const SECTIONS[] = {"default", "a", ""};
static const char *const NAMES[] = {"aws_access_key_id", "x", ""};
static const char *const BELOW[] = {NULL, "endpoint_url", "x"};

static void check_get(const char *data, size_t size, const struct ini_place *place)
{
    CLEANUP_FREE char *value = NULL;

    if (ini_get(data, size, place, &value) < 0) {
        assert(!value);
        return;
    }
    size_t length = strlen(value);
    assert(ini_has_section(data, size, place->kind, place->section) == 0);
    assert(length == 0 || memmem(data, size, value, length));
    assert(!strchr(value, '\n'));
    assert(length == 0 || (!strchr(" \t\r", value[0]) && !strchr(" \t\r", value[length - 1])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char added[] = "\n[default]\nX = added\ny =\n x = below\n";
    const struct ini_place plain = {INI_PLAIN, "default", "x", NULL}, below = {INI_PROFILE, "default", "y", "x"};
    CLEANUP_FREE char *longer = malloc(size + sizeof(added));
    CLEANUP_FREE char *value = NULL, *nested = NULL;

    for (unsigned kind = 0; kind < INI_KINDS; kind++)
        for (size_t i = 0; i < ARRAY_SIZE(SECTIONS); i++)
            for (size_t j = 0; j < ARRAY_SIZE(NAMES); j++)
                for (size_t k = 0; k < ARRAY_SIZE(BELOW); k++)
                    check_get((const char *)data, size,
                              &(struct ini_place){(enum ini_kind)kind, SECTIONS[i], NAMES[j], BELOW[k]});

    assert(longer);
    memcpy(longer, data, size);
    memcpy(longer + size, added, sizeof(added));
    assert(ini_get(longer, size + sizeof(added) - 1, &plain, &value) == 0);
    assert(strcmp(value, "added") == 0);
    assert(ini_get(longer, size + sizeof(added) - 1, &below, &nested) == 0);
    assert(strcmp(nested, "below") == 0);
    return 0;
}
