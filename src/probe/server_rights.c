/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Names that are no namespaces are left out: they become a part of a key.
 */
#include "probe/server_rights.h"

#include <jansson.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

enum { GRANTS_MAX = 1024 };

static bool has(const json_t *rights, const char *name)
{
    for (size_t i = 0; i < json_array_size(rights) && i < GRANTS_MAX; i++) {
        const char *one = json_string_value(json_array_get(rights, i));

        if (one && text_eq(one, name))
            return true;
    }
    return false;
}

static void copy_name(char out[SERVER_NAME_MAX], const json_t *root, const char *field)
{
    text_printable(json_read_text(root, field), out, SERVER_NAME_MAX);
}

/* The first of "pay-*,shop" that is no pattern. */
static bool take_exact(const char *namespaces, char out[SERVER_NAME_MAX])
{
    static const char NAMES[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    for (const char *at = namespaces; *at;) {
        size_t size = strcspn(at, ",");

        if (size > 0 && size < SERVER_NAME_MAX && *at != '.' && *at != '-' && strspn(at, NAMES) == size) {
            memcpy(out, at, size);
            out[size] = '\0';
            return true;
        }
        at += size + (at[size] == ',');
    }
    return false;
}

bool server_rights_read(const char *json, size_t size, struct server_rights *ret)
{
    json_auto_t *root = json_read_object(json, size, SERVER_RIGHTS_MAX);
    const json_t *rights = json_object_get(root, "rights"), *grants = json_object_get(root, "grants");
    struct server_rights s = {0};

    if (!root || !text_eq(json_read_text(root, "schema"), "salvage.whoami/1"))
        return false;
    copy_name(s.name, root, "name");
    copy_name(s.namespace, root, "namespace");
    s.list = has(rights, "list");
    s.read = has(rights, "read");
    s.write = has(rights, "write");
    s.delete = has(rights, "delete");
    for (size_t i = 0; i < json_array_size(grants) && i < GRANTS_MAX && !*s.writes; i++) {
        const json_t *one = json_array_get(grants, i);

        if (has(json_object_get(one, "rights"), "write"))
            take_exact(json_read_text(one, "namespaces"), s.writes);
    }
    *ret = s;
    return true;
}
