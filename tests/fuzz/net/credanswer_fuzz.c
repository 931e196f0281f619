/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers with credentials: whatever comes, keys are there or they are not.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/credanswer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int r, struct credanswer *a)
{
    if (r == 0 && (!a->access_key || !*a->access_key || !a->secret_key || !*a->secret_key || (a->token && !*a->token)))
        abort();
    if (r < 0 && (a->access_key || a->secret_key || a->token))
        abort();
    credanswer_done(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct credanswer a = {0};
    CLEANUP_FREE char *code = NULL;
    CLEANUP_FREE char *message = NULL;

    check(credanswer_parse_json(text, size, &a), &a);
    check(credanswer_parse_process(text, size, &a), &a);
    check(credanswer_parse_huawei(text, size, &a), &a);
    check(credanswer_parse_sts(text, size, &a), &a);
    if (credanswer_parse_sts_error(text, size, &code, &message) < 0)
        credanswer_parse_json_error(text, size, &code, &message);
    return 0;
}
