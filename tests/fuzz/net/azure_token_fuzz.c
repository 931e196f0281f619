/* SPDX-License-Identifier: Apache-2.0
 *
 * A token that is taken can stand in a header; a reason is one line; a SAS' end is a time or none.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/azure_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(azure_token_done) struct azure_token token = {0};
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    char reason[AZURE_REASON_MAX];

    if (azure_token_parse((const char *)data, size, &token) == 0)
        for (const char *c = token.text; c == token.text || *c; c++)
            if (*c <= ' ' || *c > '~' || token.expires_s > UINT32_MAX)
                abort();
    azure_token_reason((const char *)data, size, reason);
    if (strlen(reason) >= sizeof(reason) || strpbrk(reason, "\r\n"))
        abort();
    if (text)
        (void)azure_sas_end(text);
    return 0;
}
