/* SPDX-License-Identifier: Apache-2.0
 *
 * No text that we have not sealed can be opened, and no change of one that we have.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_change(const struct seal_key *k, const uint8_t *data, size_t size)
{
    struct secret *plain = secret_new("token", 5), *again = NULL;
    char sealed[SEAL_MAX];
    size_t at = size > 1 ? data[0] % 40 : 0;

    assert(plain && seal_close(k, plain, 1000, sealed) == 0);
    assert(seal_open(k, sealed, 999, &again) == 0 && strcmp(secret_expose(again), "token") == 0);
    secret_free(again);
    again = NULL;
    assert(seal_open(k, sealed, 1000, &again) < 0 && !again);
    sealed[at] = sealed[at] == 'A' ? 'B' : 'A';
    assert(seal_open(k, sealed, 999, &again) < 0 && !again);
    secret_free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    struct secret *plain = NULL;
    struct seal_key k;

    assert(text);
    seal_key_derive("secret", 6, "fuzz", &k);
    assert(seal_open(&k, text, 0, &plain) < 0 && !plain);
    assert(seal_check(&k, (const char *const[]){"key", NULL}, text) < 0);
    check_change(&k, data, size);
    return 0;
}
