/* SPDX-License-Identifier: Apache-2.0
 *
 * One key after the other, so that all errors of a map are found.
 */
#include "node/config_keys.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"
#include "base/text.h"

static const struct config_key *find_key(const struct config_key *keys, const char *name)
{
    for (; keys->name; keys++)
        if (text_eq(keys->name, name))
            return keys;
    return NULL;
}

static void refuse_key(const struct config_entry *entry, const struct config_key *keys, const char *what,
                       struct config_errors *errors)
{
    const char *names[CONFIG_KEYS_MAX + 1] = {NULL}, *near;

    for (size_t i = 0; i < CONFIG_KEYS_MAX && keys[i].name; i++)
        names[i] = keys[i].name;
    near = text_nearest(entry->key, names);
    config_errors_add(errors, entry->line,
                      near ? "unknown key \"%s\" of %s; did you mean \"%s\"?" : "unknown key \"%s\" of %s", entry->key,
                      what, near);
}

bool config_keys_flag(const char *text, bool *ret)
{
    static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        if (text_eq(text, yes[i]) || text_eq(text, no[i])) {
            *ret = text_eq(text, yes[i]);
            return true;
        }
    }
    return false;
}

/* A problem with the value, or NULL. */
static const char *read_text(const char *text, const struct config_key *key, void *field)
{
    uint64_t ms;

    switch (key->type) {
    case CONFIG_KEY_PATH:
        if (*text != '/')
            return "an absolute path is needed";
        break;
    case CONFIG_KEY_TIME:
    case CONFIG_KEY_DURATION:
        if (text_parse_duration(text, &ms) < 0)
            return "this is no time, as in 90s, 10m, 2h or 7d";
        break;
    case CONFIG_KEY_FLAG:
        return config_keys_flag(text, field) ? NULL : "true or false is needed";
    case CONFIG_KEY_TEXT:
    case CONFIG_KEY_LIST:
    case CONFIG_KEY_NODE:
        break;
    }
    if (key->type == CONFIG_KEY_DURATION)
        *(uint64_t *)field = ms;
    else
        *(const char **)field = text;
    return NULL;
}

static const char *add_to_list(struct opt_list *list, const struct config_node *n)
{
    if (n->kind != CONFIG_TEXT || !*n->text)
        return "a list of texts is needed";
    if (list->count == OPT_LIST_MAX)
        return "more than 64 values";
    list->item[list->count++] = n->text;
    return NULL;
}

static const char *read_list(const struct config_node *n, struct opt_list *list)
{
    const char *problem = NULL;

    *list = (struct opt_list){0};
    if (n->kind == CONFIG_TEXT)
        return add_to_list(list, n);
    if (n->kind != CONFIG_LIST)
        return "a list of texts is needed";
    for (size_t i = 0; i < n->count && !problem; i++)
        problem = add_to_list(list, n->entry[i].value);
    return problem;
}

static bool read_value(const struct config_entry *entry, const struct config_key *key, void *to,
                       struct config_errors *errors)
{
    const struct config_node *n = entry->value;
    void *field = (char *)to + key->offset;
    const char *problem;

    if (n->kind == CONFIG_TEXT && !*n->text)
        return true;
    if (key->type == CONFIG_KEY_NODE) {
        *(const struct config_node **)field = n;
        return true;
    }
    if (key->type == CONFIG_KEY_LIST)
        problem = read_list(n, field);
    else
        problem = n->kind == CONFIG_TEXT ? read_text(n->text, key, field) : "one value is needed here";
    if (problem)
        config_errors_add(errors, entry->line, "%s: %s", key->name, problem);
    return !problem;
}

static const struct config_node *find_value(const struct config_node *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (text_eq(map->entry[i].key, name))
            return map->entry[i].value;
    return NULL;
}

static bool has_required(const struct config_node *map, const struct config_key *keys, const char *what,
                         struct config_errors *errors)
{
    bool complete = true;

    for (; keys->name; keys++) {
        const struct config_node *value = keys->required ? find_value(map, keys->name) : NULL;

        if (!keys->required || (value && (value->kind != CONFIG_TEXT || *value->text)))
            continue;
        config_errors_add(errors, map->line, "%s needs \"%s\"", what, keys->name);
        complete = false;
    }
    return complete;
}

bool config_keys_read(const struct config_node *n, const struct config_key *keys, const char *what, void *to,
                      struct config_errors *errors)
{
    bool good;

    assert(n && keys && to && errors);
    if (n->kind != CONFIG_MAP) {
        config_errors_add(errors, n->line, "%s: \"key: value\" lines are needed here", what);
        return false;
    }
    good = has_required(n, keys, what, errors);
    for (size_t i = 0; i < n->count; i++) {
        const struct config_key *key = find_key(keys, n->entry[i].key);

        if (!key) {
            refuse_key(&n->entry[i], keys, what, errors);
            good = false;
        } else if (!read_value(&n->entry[i], key, to, errors)) {
            good = false;
        }
    }
    return good;
}
