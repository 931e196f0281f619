/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers to a caller.
 */
#include "serve/proxied_caller.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* "shop,pay:write+delete". */
static int grant_groups(const struct claim_rules *rules, char *groups, struct grants *ret)
{
    char *rest = groups;
    int r = 0;

    for (char *group; r == 0 && (group = strsep(&rest, ","));) {
        group += strspn(group, " ");
        r = text_eq(group, rules->admin) ? grants_add(ret, RIGHT_ADMIN, "*", false)
                                         : claim_grant(group, rules->prefix, ret);
    }
    return r == -ENOMEM ? r : 0;
}

/* One that the client sent, and that the proxy let through beside its own: which is whose can't be said. */
static bool is_ambiguous(const struct exchange *x)
{
    return exchange_header_count(x, "X-Forwarded-User") > 1 || exchange_header_count(x, "X-Forwarded-Email") > 1 ||
           exchange_header_count(x, "X-Forwarded-Groups") > 1;
}

int proxied_caller_get(const struct exchange *x, const struct claim_rules *rules, struct caller *ret)
{
    const char *user = exchange_header(x, "X-Forwarded-User"), *email = exchange_header(x, "X-Forwarded-Email"),
               *groups = exchange_header(x, "X-Forwarded-Groups");
    CLEANUP_FREE char *copy = groups ? strdup(groups) : NULL;

    assert(rules && ret);
    if (is_ambiguous(x))
        return -EBADMSG;
    if (!user || !*user)
        return 0;
    snprintf(ret->name, sizeof(ret->name), "proxy:%.250s%s%.250s%s", user, email ? " (" : "", email ? email : "",
             email ? ")" : "");
    if (groups && (!copy || grant_groups(rules, copy, &ret->grants) < 0))
        return -ENOMEM;
    return 1;
}
