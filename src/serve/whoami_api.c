/* SPDX-License-Identifier: Apache-2.0
 *
 * /-/api/whoami/NAMESPACE: who the caller is to this server, what they may do in that namespace, and in which others.
 * For `salvage check`, and for whoever wonders what a token is good for.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/route.h"

enum { NAME_TEXT_MAX = 1024 };

static json_t *rights_json(unsigned rights)
{
    static const struct {
        unsigned right;
        const char *name;
    } rows[] = {{RIGHT_LIST, "list"},     {RIGHT_READ, "read"},   {RIGHT_WRITE, "write"},
                {RIGHT_DELETE, "delete"}, {RIGHT_ADMIN, "admin"}, {RIGHT_AGENT, "agent"}};
    json_t *list = json_array();

    for (size_t i = 0; list && i < ARRAY_SIZE(rows); i++)
        if (rights & rows[i].right)
            json_array_append_new(list, json_string(rows[i].name));
    return list;
}

static int add_grant(void *ctx, const char *namespaces, unsigned rights)
{
    json_t *one =
        json_pack("{s:o, s:o}", "namespaces", jsonout_text(namespaces, NAME_TEXT_MAX), "rights", rights_json(rights));

    return json_array_append_new(ctx, one) < 0 ? -ENOMEM : 0;
}

void whoami_answer(struct request *r)
{
    const char *namespace = r->key + strlen(REQUEST_OWN "api/whoami/");
    json_auto_t *grants = json_array(), *root = NULL;
    unsigned rights = caller_rights(r->serve->access, r->caller, namespace);

    if (rights & RIGHT_UNKNOWN) {
        r->rights = rights;
        request_may(r, RIGHT_ADMIN); /* says so */
        return;
    }
    if (grants && caller_each_grant(r->caller, add_grant, grants) == 0)
        root = json_pack("{s:s, s:o, s:o, s:o, s:O}", "schema", "salvage.whoami/1", "name",
                         jsonout_text(caller_name(r->caller), NAME_TEXT_MAX), "namespace",
                         jsonout_text(namespace, NAME_TEXT_MAX), "rights", rights_json(rights), "grants", grants);
    request_answer_json(r, 200, root);
}
