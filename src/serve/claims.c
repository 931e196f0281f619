/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespaces from claims: exact names, never patterns, as who names groups need not be who runs this server.
 */
#include "serve/claims.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"

enum { NAME_MAX_SIZE = 255, VALUES_MAX = 1024 };

bool claim_admin_is_good(const char *admin)
{
    const char *equals = strchr(admin, '=');

    return equals && equals != admin && equals[1];
}

static bool is_name(const char *text, size_t size)
{
    static const char MORE[] = "._-";

    if (size == 0 || size > NAME_MAX_SIZE || text[0] == '.')
        return false;
    for (size_t i = 0; i < size; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
              (text[i] >= '0' && text[i] <= '9') || (text[i] && strchr(MORE, text[i]))))
            return false;
    return true;
}

int claim_grant(const char *value, const char *prefix, struct grants *ret)
{
    unsigned rights = RIGHT_LIST | RIGHT_READ;
    char name[NAME_MAX_SIZE + 1];
    size_t size;
    int r;

    if (prefix && !text_starts(value, prefix))
        return 0;
    value += prefix ? strlen(prefix) : 0;
    size = strcspn(value, ":");
    if (!is_name(value, size) || (value[size] && grants_parse_rights(value + size + 1, &rights) < 0))
        return 0;
    memcpy(name, value, size);
    name[size] = '\0';
    r = grants_add(ret, rights, name, true);
    return r == -E2BIG ? 0 : r; /* nobody is in so many */
}

/* "realm_access.roles": a claim of that name, or else a claim in a claim. NULL. */
static const json_t *find_claim(const json_t *claims, const char *path)
{
    const json_t *found = json_object_get(claims, path);
    const char *dot = strchr(path, '.');
    CLEANUP_FREE char *first = NULL;

    if (found || !dot || !(first = strndup(path, (size_t)(dot - path))))
        return found;
    return json_object_get(json_object_get(claims, first), dot + 1);
}

/* Calls fn with each text of a claim. */
static int each_value(const json_t *claim, int (*fn)(void *ctx, const char *value), void *ctx)
{
    int r = 0;

    if (json_is_string(claim))
        return fn(ctx, json_string_value(claim));
    for (size_t i = 0; i < json_array_size(claim) && i < VALUES_MAX && r == 0; i++) {
        const char *value = json_string_value(json_array_get(claim, i));

        r = value ? fn(ctx, value) : 0;
    }
    return r;
}

struct granting {
    const struct claim_rules *rules;
    struct grants *grants;
    const char *admin; /* the value that makes an administrator */
};

static int add_namespace(void *ctx, const char *value)
{
    struct granting *g = ctx;

    return claim_grant(value, g->rules->prefix, g->grants);
}

static int add_admin(void *ctx, const char *value)
{
    struct granting *g = ctx;

    return text_eq(value, g->admin) ? grants_add(g->grants, RIGHT_ADMIN, "*", false) : 0;
}

static int grant_admin(const json_t *claims, struct granting *g)
{
    const char *equals = strchr(g->rules->admin, '=');
    CLEANUP_FREE char *claim = NULL;

    assert(equals);
    if (!(claim = strndup(g->rules->admin, (size_t)(equals - g->rules->admin))))
        return -ENOMEM;
    g->admin = equals + 1;
    return each_value(find_claim(claims, claim), add_admin, g);
}

int claims_grant(const json_t *claims, const struct claim_rules *rules, struct grants *ret)
{
    struct granting g = {.rules = rules, .grants = ret};
    int r = rules->admin ? grant_admin(claims, &g) : 0;

    if (r < 0 || !rules->namespaces)
        return r == -ENOMEM ? r : 0;
    return each_value(find_claim(claims, rules->namespaces), add_namespace, &g);
}
