/* SPDX-License-Identifier: Apache-2.0
 *
 * Any file of tokens: what is accepted has names, rights and namespaces; what is refused leaves nothing behind.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/token_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_token(const struct token_file *f, const struct token *t)
{
    const struct token *found = token_file_find(f, t->hash);

    assert(*t->name && strlen(t->name) <= TOKEN_NAME_MAX);
    assert(t->grants.count == 1 && t->grants.item[0].rights && *t->grants.item[0].namespaces);
    assert(found && memcmp(found->hash, t->hash, TOKEN_HASH) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(token_file_done) struct token_file f = {0};
    struct err e = {0};

    if (token_file_parse((const char *)data, size, &f, &e) == 0)
        for (size_t i = 0; i < f.count; i++)
            check_token(&f, &f.token[i]);
    else
        assert(!f.token && *e.msg);
    return 0;
}
