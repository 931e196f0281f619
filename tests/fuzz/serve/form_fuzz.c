/* SPDX-License-Identifier: Apache-2.0
 *
 * Any form and any header Cookie: what is taken out fits, and holds no control character.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    char out[64];
    int n;

    assert(text);
    if ((n = form_field((const char *)data, size, "token", out, sizeof(out))) >= 0) {
        assert((size_t)n < sizeof(out) && strlen(out) == (size_t)n);
        for (int i = 0; i < n; i++)
            assert((unsigned char)out[i] >= ' ' && out[i] != 0x7f);
    }
    if ((n = form_cookie(text, "salvage", out, sizeof(out))) >= 0)
        assert((size_t)n < sizeof(out) && strlen(out) == (size_t)n && !strchr(out, ';'));
    if (form_is_local_path(text))
        assert(*text == '/' && text[1] != '/' && !strpbrk(text, "\\\r\n"));
    return 0;
}
