/* SPDX-License-Identifier: Apache-2.0
 *
 * Any claims: whatever they are, they give rights in namespaces by their exact names, and everything only to
 * administrators.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json_read.h"
#include "serve/claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct claim_rules rules = {.namespaces = "groups", .admin = "realm.roles=admins"};
    json_t *claims = json_read_object((const char *)data, size, 8192);
    struct grants g = {0};

    if (!claims)
        return 0;
    if (claims_grant(claims, &rules, &g) == 0)
        for (size_t i = 0; i < g.count; i++) {
            const char *name = g.item[i].namespaces;

            assert(g.item[i].rights && (g.item[i].exact ? strcspn(name, "*?/,[ ") == strlen(name) && *name
                                                        : g.item[i].rights == RIGHT_ADMIN && strcmp(name, "*") == 0));
        }
    grants_done(&g);
    json_decref(claims);
    return 0;
}
