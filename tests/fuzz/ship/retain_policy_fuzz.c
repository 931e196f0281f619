/* SPDX-License-Identifier: Apache-2.0
 *
 * Any two rules: what is accepted limits something, and is found again by its namespace.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ship/retain_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    CLEANUP(retain_policy_done) struct retain_policy p = {0};
    struct err e;

    assert(text);
    for (char *line = text, *next = NULL; line; line = next) {
        if ((next = strchr(line, '\n')))
            *next++ = '\0';
        if (retain_policy_add(&p, line, &e) < 0)
            continue;
        const struct retain_rule *r = &p.rule[p.count - 1];

        assert(r->limits.age_ms || r->limits.count || r->limits.bytes || r->limits.free);
        assert(r->namespace ? !r->limits.free && retain_rule_of(&p, r->namespace, strlen(r->namespace)) == r
                            : retain_rule_general(&p) == r);
    }
    return 0;
}
