/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a journal: what is read leads to a setting of a memory cgroup only, and written anew it is the same. As
 * a setting's text and as /proc/meminfo, too.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "guard/limit_journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_texts(const char *text)
{
    char value[LIMIT_OVERRIDE_VALUE_MAX] = "untouched";
    uint64_t bytes = 4711;

    for (enum limit_override_file file = 0; file < LIMIT_OVERRIDE_FILES; file++)
        if (limit_override_value(file, text, value) == 0)
            assert(strlen(value) > 0 && strlen(value) < sizeof(value));
    if (limit_override_spare(text, &bytes) < 0)
        assert(bytes == 4711);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = malloc(size + 1);
    CLEANUP_FREE struct limit_override *once = calloc(1, sizeof(*once)), *twice = calloc(1, sizeof(*twice));
    CLEANUP(buf_done) struct buf written = {0}, again = {0};

    assert(text && once && twice);
    memcpy(text, data, size);
    text[size] = '\0';
    check_texts(text);
    if (limit_override_decode(text, size, once) < 0)
        return 0;
    assert(once->count <= LIMIT_OVERRIDE_SETTINGS_MAX);
    for (unsigned i = 0; i < once->count; i++)
        assert(once->setting[i].cgroup[0] == '/' && !strstr(once->setting[i].cgroup, "/../") &&
               once->setting[i].file < LIMIT_OVERRIDE_FILES);
    assert(limit_override_encode(once, &written) == 0);
    assert(limit_override_decode(written.data, written.size, twice) == 0);
    assert(limit_override_encode(twice, &again) == 0);
    assert(written.size == again.size && memcmp(written.data, again.data, again.size) == 0);
    return 0;
}
