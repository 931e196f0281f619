/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. From what an issuer or a proxy says of a caller to namespaces: the groups whose names are those of
 * namespaces.
 */
#pragma once

#include <jansson.h>

#include "serve/caller.h"

struct claim_rules {
    const char *namespaces; /* a claim, "groups" or "realm_access.roles"; NULL: none */
    const char *prefix;     /* only values that begin with it count, without it; NULL: all */
    const char *admin;      /* "groups=salvage-admins"; NULL: none */
};

/* "CLAIM=VALUE"? */
bool claim_admin_is_good(const char *admin);

/* Adds what a value such as "shop" (list and read) or "shop:write+delete" gives; other values give nothing. -ENOMEM. */
int claim_grant(const char *value, const char *prefix, struct grants *ret);

/* The same for all values of the claims. Texts or lists of texts count. -ENOMEM. */
int claims_grant(const json_t *claims, const struct claim_rules *rules, struct grants *ret);
