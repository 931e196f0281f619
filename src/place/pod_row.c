/* SPDX-License-Identifier: Apache-2.0
 *
 * Labels and annotations are objects in JSON, "NAME=VALUE" in memory: a name has no '='.
 */
#include "place/pod_row.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"

void pod_row_done(struct pod_row *p)
{
    for (size_t i = 0; i < p->containers; i++) {
        free(p->container[i].name);
        free(p->container[i].id);
        free(p->container[i].image);
    }
    free(p->container);
    free(p->owner_kind);
    free(p->owner_name);
    free(p->phase);
    strv_done(&p->labels);
    strv_done(&p->annotations);
    strv_done(&p->volumes);
    *p = (struct pod_row){0};
}

const char *pod_row_value(const struct strv *pairs, const char *name)
{
    size_t size = strlen(name);

    for (size_t i = 0; i < pairs->count; i++)
        if (strncmp(pairs->item[i], name, size) == 0 && pairs->item[i][size] == '=')
            return pairs->item[i] + size + 1;
    return NULL;
}

struct pod_container *pod_row_container(const struct pod_row *p, const char *name)
{
    for (size_t i = 0; i < p->containers; i++)
        if (text_eq(p->container[i].name, name))
            return &p->container[i];
    return NULL;
}

struct pod_container *pod_row_container_of_id(const struct pod_row *p, const char *id)
{
    for (size_t i = 0; i < p->containers; i++)
        if (text_eq(p->container[i].id, id))
            return &p->container[i];
    return NULL;
}

int pod_row_set(char **field, const char *text)
{
    char *copy = NULL;

    if (text && *text && strnlen(text, POD_TEXT_MAX + 1) <= POD_TEXT_MAX && !(copy = strdup(text)))
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

struct pod_container *pod_row_add_container(struct pod_row *p, const char *name)
{
    struct pod_container *found = pod_row_container(p, name), c = {0};

    assert(name && *name);
    if (found)
        return found;
    if (array_reserve(&p->container, p->containers + 1, &p->capacity, sizeof(*p->container), POD_CONTAINERS_MAX) < 0 ||
        !(c.name = strdup(name)))
        return NULL;
    p->container[p->containers] = c;
    return &p->container[p->containers++];
}

/* --- to JSON --------------------------------------------------------------------------------------------------------
 */

/* Leaves out what is unknown. */
static int put_text(json_t *object, const char *name, const char *text)
{
    return text && *text && json_object_set_new(object, name, json_string(text)) < 0 ? -ENOMEM : 0;
}

static int put_flag(json_t *object, const char *name, bool flag)
{
    return flag && json_object_set_new(object, name, json_true()) < 0 ? -ENOMEM : 0;
}

static int put_time(json_t *object, const char *name, int64_t ns)
{
    char text[CLOCK_TEXT_MAX];

    return ns > 0 ? put_text(object, name, clock_format(ns, text)) : 0;
}

static int put_pairs(json_t *object, const char *name, const struct strv *pairs)
{
    json_t *map;

    if (pairs->count == 0)
        return 0;
    if (json_object_set_new(object, name, map = json_object()) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < pairs->count; i++) {
        const char *equals = strchr(pairs->item[i], '=');
        CLEANUP_FREE char *key = equals ? strndup(pairs->item[i], (size_t)(equals - pairs->item[i])) : NULL;

        if (!key || json_object_set_new(map, key, json_string(equals + 1)) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int put_volumes(json_t *object, const struct strv *volumes)
{
    json_t *list;

    if (volumes->count == 0)
        return 0;
    if (json_object_set_new(object, "volumes", list = json_array()) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < volumes->count; i++)
        if (json_array_append_new(list, json_string(volumes->item[i])) < 0)
            return -ENOMEM;
    return 0;
}

static int put_containers(json_t *object, const struct pod_row *p)
{
    json_t *list;

    if (p->containers == 0)
        return 0;
    if (json_object_set_new(object, "containers", list = json_array()) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < p->containers; i++) {
        const struct pod_container *c = &p->container[i];
        json_t *one = json_object();

        if (json_array_append_new(list, one) < 0 || put_text(one, "name", c->name) < 0 ||
            put_text(one, "id", c->id) < 0 || put_text(one, "image", c->image) < 0 ||
            json_object_set_new(one, "restarts", json_integer((json_int_t)c->restarts)) < 0)
            return -ENOMEM;
    }
    return 0;
}

int pod_row_encode(const struct pod_row *p, struct buf *ret)
{
    json_auto_t *root = json_object();
    CLEANUP_FREE char *text = NULL;

    if (!root || put_text(root, "uid", p->uid) < 0 || put_text(root, "namespace", p->namespace) < 0 ||
        put_text(root, "name", p->name) < 0 || put_text(root, "rule", p->rule) < 0 ||
        put_flag(root, "pending", p->pending) < 0 || put_flag(root, "known", p->known) < 0 ||
        put_flag(root, "hostNetwork", p->host_network) < 0 || put_time(root, "created", p->created_ns) < 0 ||
        put_time(root, "gone", p->gone_ns) < 0 || put_text(root, "ownerKind", p->owner_kind) < 0 ||
        put_text(root, "ownerName", p->owner_name) < 0 || put_text(root, "phase", p->phase) < 0 ||
        put_pairs(root, "labels", &p->labels) < 0 || put_pairs(root, "annotations", &p->annotations) < 0 ||
        put_volumes(root, &p->volumes) < 0 || put_containers(root, p) < 0 || !(text = json_dumps(root, JSON_COMPACT)))
        return -ENOMEM;
    return strlen(text) >= POD_ROW_MAX ? -EMSGSIZE : buf_printf(ret, "%s\n", text);
}

/* --- from JSON ------------------------------------------------------------------------------------------------------
 */

/* A name by RFC 1123, or a UID or a rule's name, which have the same letters. */
static int get_name(const json_t *root, const char *field, char *ret, size_t size)
{
    const char *text = json_read_text(root, field);

    if (strlen(text) >= size || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(text) || *text == '.')
        return -EBADMSG;
    memcpy(ret, text, strlen(text) + 1);
    return 0;
}

static int get_time(const json_t *root, const char *field, int64_t *ret)
{
    const char *text = json_read_text(root, field);

    if (!*text)
        return 0;
    return clock_parse(text, ret) < 0 || *ret <= 0 ? -EBADMSG : 0;
}

static int get_pairs(const json_t *root, const char *field, struct strv *ret)
{
    json_t *map = json_object_get(root, field), *value;
    const char *key;

    if (map && !json_is_object(map))
        return -EBADMSG;
    json_object_foreach(map, key, value)
    {
        const char *text = json_string_value(value);

        if (!text || !*key || strchr(key, '=') || strlen(key) > POD_TEXT_MAX || strlen(text) > POD_TEXT_MAX ||
            ret->count >= POD_LABELS_MAX)
            return -EBADMSG;
        if (strv_printf(ret, "%s=%s", key, text) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int get_volumes(const json_t *root, struct strv *ret)
{
    const json_t *list = json_object_get(root, "volumes"), *value;
    size_t i;

    if (list && (!json_is_array(list) || json_array_size(list) > POD_VOLUMES_MAX))
        return -EBADMSG;
    json_array_foreach(list, i, value)
    {
        const char *text = json_string_value(value);

        if (!text || !*text || strlen(text) > POD_TEXT_MAX)
            return -EBADMSG;
        if (strv_add(ret, text) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int get_containers(const json_t *root, struct pod_row *ret)
{
    const json_t *list = json_object_get(root, "containers"), *value;
    size_t i;

    if (list && (!json_is_array(list) || json_array_size(list) > POD_CONTAINERS_MAX))
        return -EBADMSG;
    json_array_foreach(list, i, value)
    {
        const char *name = json_read_text(value, "name");
        struct pod_container *c;

        if (!*name || strlen(name) > POD_TEXT_MAX || pod_row_container(ret, name))
            return -EBADMSG;
        if (!(c = pod_row_add_container(ret, name)) || pod_row_set(&c->id, json_read_text(value, "id")) < 0 ||
            pod_row_set(&c->image, json_read_text(value, "image")) < 0)
            return -ENOMEM;
        c->restarts = json_read_count(value, "restarts");
    }
    return 0;
}

static int get_texts(const json_t *root, struct pod_row *ret)
{
    if (pod_row_set(&ret->owner_kind, json_read_text(root, "ownerKind")) < 0 ||
        pod_row_set(&ret->owner_name, json_read_text(root, "ownerName")) < 0 ||
        pod_row_set(&ret->phase, json_read_text(root, "phase")) < 0)
        return -ENOMEM;
    ret->pending = json_is_true(json_object_get(root, "pending"));
    ret->known = json_is_true(json_object_get(root, "known"));
    ret->host_network = json_is_true(json_object_get(root, "hostNetwork"));
    return 0;
}

int pod_row_decode(const char *line, size_t size, struct pod_row *ret)
{
    CLEANUP(pod_row_done) struct pod_row p = {0};
    json_auto_t *root = json_read_object(line, size, POD_ROW_MAX);
    int r;

    if (!root)
        return -EBADMSG;
    if ((r = get_name(root, "uid", p.uid, sizeof(p.uid))) < 0 ||
        (r = get_name(root, "namespace", p.namespace, sizeof(p.namespace))) < 0 ||
        (r = get_name(root, "name", p.name, sizeof(p.name))) < 0 ||
        (r = get_name(root, "rule", p.rule, sizeof(p.rule))) < 0 ||
        (r = get_time(root, "created", &p.created_ns)) < 0 || (r = get_time(root, "gone", &p.gone_ns)) < 0 ||
        (r = get_texts(root, &p)) < 0 || (r = get_pairs(root, "labels", &p.labels)) < 0 ||
        (r = get_pairs(root, "annotations", &p.annotations)) < 0 || (r = get_volumes(root, &p.volumes)) < 0 ||
        (r = get_containers(root, &p)) < 0)
        return r;
    if (!*p.uid || !*p.namespace || !*p.name)
        return -EBADMSG;
    *ret = p;
    p = (struct pod_row){0};
    return 0;
}
