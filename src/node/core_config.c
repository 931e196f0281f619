/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Only root may write the file; it is parsed as strictly as any other.
 */
#include "node/core_config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"

#define SCHEMA "salvage.core-config/1"

void core_config_done(struct core_config *c)
{
    for (size_t i = 0; i < c->sets; i++) {
        strv_done(&c->set[i].arguments);
        strv_done(&c->set[i].environment);
    }
    *c = (struct core_config){0};
}

struct core_set *core_config_add(struct core_config *c)
{
    return c->sets < CORE_SETS_MAX ? &c->set[c->sets++] : NULL;
}

static json_t *list_of(const struct strv *v)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < v->count; i++)
        if (json_array_append_new(list, json_string(v->item[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *sets_of(const struct core_config *c)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < c->sets; i++) {
        json_t *arguments = list_of(&c->set[i].arguments), *environment = list_of(&c->set[i].environment);

        if (!arguments || !environment) {
            json_decref(arguments);
            json_decref(environment);
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, json_pack("{so so}", "arguments", arguments, "environment", environment));
    }
    return list;
}

int core_config_encode(const struct core_config *c, struct buf *ret)
{
    json_auto_t *root = NULL;
    CLEANUP_FREE char *text = NULL;
    json_t *sets = sets_of(c);

    if (!sets)
        return -EINVAL; /* not UTF-8 */
    root = json_pack("{ss so sb s{ss sI} ss}", "schema", SCHEMA, "sets", sets, "node", c->by_node, "before",
                     "core_pattern", c->pattern, "core_pipe_limit", (json_int_t)c->pipe_limit, "core_pattern", c->ours);
    text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    return text ? buf_printf(ret, "%s\n", text) : -EINVAL;
}

static int damaged(struct err *e, const char *what)
{
    return err_set(e, -FAULT_FORMAT, "the handler's configuration is damaged: %s: run salvage core install again",
                   what);
}

static int read_list(const json_t *root, const char *name, struct strv *ret, struct err *e)
{
    const json_t *list = json_object_get(root, name);

    if (!json_is_array(list) || json_array_size(list) > CORE_ARGUMENTS_MAX)
        return damaged(e, name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (!text)
            return damaged(e, name);
        if (strv_add(ret, text) < 0)
            return err_set(e, -ENOMEM, "out of memory");
    }
    return 0;
}

static int read_text(const json_t *object, const char *name, char ret[CORE_BEFORE_MAX], struct err *e)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (!text || strlen(text) >= CORE_BEFORE_MAX)
        return damaged(e, name);
    snprintf(ret, CORE_BEFORE_MAX, "%s", text);
    return 0;
}

/* from: with "arguments" and "environment". */
static int read_set(const json_t *from, struct core_config *c, struct err *e)
{
    struct core_set *set = core_config_add(c);
    int r;

    if (!set)
        return damaged(e, "too many sets");
    if ((r = read_list(from, "arguments", &set->arguments, e)) < 0 ||
        (r = read_list(from, "environment", &set->environment, e)) < 0)
        return r;
    for (size_t i = 0; i < set->environment.count; i++)
        if (strcspn(set->environment.item[i], "=") == 0 || !strchr(set->environment.item[i], '='))
            return damaged(e, "environment");
    return 0;
}

/* The version before had one set, and no list. */
static int read_sets(const json_t *root, struct core_config *c, struct err *e)
{
    const json_t *sets = json_object_get(root, "sets");
    int r = 0;

    if (!sets)
        return read_set(root, c, e);
    if (!json_is_array(sets))
        return damaged(e, "sets");
    for (size_t i = 0; i < json_array_size(sets) && r == 0; i++)
        r = read_set(json_array_get(sets, i), c, e);
    c->by_node = json_is_true(json_object_get(root, "node"));
    return r;
}

int core_config_decode(const char *json, size_t size, struct core_config *ret, struct err *e)
{
    CLEANUP(core_config_done) struct core_config c = {0};
    json_auto_t *root = json_read_object(json, size, CORE_CONFIG_MAX);
    const json_t *before = json_object_get(root, "before"), *limit = json_object_get(before, "core_pipe_limit");
    int r;

    if (!root)
        return damaged(e, "it is no JSON object");
    if (!text_eq(json_read_text(root, "schema"), SCHEMA))
        return damaged(e, "its schema is not " SCHEMA);
    if (!json_is_integer(limit) || json_integer_value(limit) < 0)
        return damaged(e, "core_pipe_limit");
    c.pipe_limit = (uint64_t)json_integer_value(limit);
    if ((r = read_text(before, "core_pattern", c.pattern, e)) < 0 ||
        (r = read_text(root, "core_pattern", c.ours, e)) < 0 || (r = read_sets(root, &c, e)) < 0)
        return r;
    *ret = c;
    c = (struct core_config){0};
    return 0;
}
