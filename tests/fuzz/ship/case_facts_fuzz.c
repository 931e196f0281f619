/* SPDX-License-Identifier: Apache-2.0
 *
 * Any key: its case is the key or a folder on its path, its namespace begins it, and its words are clean.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ship/case_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *key = strndup((const char *)data, size), *id = NULL, *namespace = NULL;
    CLEANUP(buf_done) struct buf words = {.ceiling = 1000};
    struct manifest m = {0};

    assert(key && (id = case_id(key)) && (namespace = case_namespace(key)));
    assert(strncmp(key, id, strlen(id)) == 0 && (!key[strlen(id)] || key[strlen(id)] == '/'));
    assert(strncmp(key, namespace, strlen(namespace)) == 0 && !strchr(namespace, '/'));
    m.process.command = key;
    assert(case_words(&m, &words) == 0 && words.size <= 1000 && !strpbrk(buf_text(&words), "\"*()^-:"));
    return 0;
}
