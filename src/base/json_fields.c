/* SPDX-License-Identifier: Apache-2.0
 *
 * On jansson, which refuses text that is not UTF-8.
 */
#include "base/json_fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/text.h"

static const double MILLIS_MAX = 1e12; /* 30 years */

static int put_text(const char *text, json_t **ret)
{
    if (!text || !*text)
        return 0;
    *ret = jsonout_text(text, JSON_FIELD_TEXT_MAX);
    return *ret ? 1 : -ENOMEM;
}

static int put_number(uint64_t n, bool known, json_t **ret)
{
    if (!known)
        return 0;
    *ret = json_integer(n < INT64_MAX ? (json_int_t)n : INT64_MAX);
    return *ret ? 1 : -ENOMEM;
}

/* 1 with a value, 0 if it is left out, -ENOMEM. */
static int encode_field(const struct json_field *f, const void *base, json_t **ret)
{
    const void *at = (const char *)base + f->offset;
    char time[CLOCK_TEXT_MAX];

    if (f->encode)
        return f->encode(at, ret);
    switch (f->kind) {
    case FIELD_CUSTOM:
        return 0;
    case FIELD_CONSTANT:
        return put_text(f->constant, ret);
    case FIELD_TEXT:
        return put_text(*(const char *const *)at, ret);
    case FIELD_CHARS:
        return put_text(at, ret);
    case FIELD_COUNT:
        return put_number(*(const uint64_t *)at, true, ret);
    case FIELD_NONZERO:
        return put_number(*(const uint64_t *)at, *(const uint64_t *)at > 0, ret);
    case FIELD_KNOWN:
        return put_number(*(const uint64_t *)at, *(const uint64_t *)at < UINT64_MAX, ret);
    case FIELD_UNSIGNED:
        return put_number(*(const unsigned *)at, *(const unsigned *)at > 0, ret);
    case FIELD_TIME:
        return put_text(*(const int64_t *)at ? clock_format(*(const int64_t *)at, time) : NULL, ret);
    case FIELD_INT:
        *ret = *(const int *)at > INT_MIN ? json_integer(*(const int *)at) : NULL;
        return *(const int *)at == INT_MIN ? 0 : *ret ? 1 : -ENOMEM;
    case FIELD_TRUE:
        *ret = json_true();
        return *(const bool *)at ? 1 : 0;
    case FIELD_MILLIS:
        if (*(const uint64_t *)at == 0)
            return 0;
        *ret = json_real((double)*(const uint64_t *)at / 1000);
        return *ret ? 1 : -ENOMEM;
    }
    return 0;
}

/* The object that a path's last name is in, and that name. NULL without memory. */
static json_t *object_for(json_t *root, const char *path, const char **ret_name)
{
    const char *dot = strchr(path, '.');
    json_t *object;
    char group[32];

    *ret_name = dot ? dot + 1 : path;
    if (!dot)
        return root;
    snprintf(group, sizeof(group), "%.*s", (int)(dot - path), path);
    object = json_object_get(root, group);
    if (!object && json_object_set_new(root, group, json_object()) == 0)
        object = json_object_get(root, group);
    return object;
}

int json_fields_encode(const struct json_field *table, const void *base, const char *below, json_t **ret)
{
    json_auto_t *root = json_object();

    if (!root)
        return -ENOMEM;
    for (const struct json_field *f = table; f->path; f++) {
        json_t *value, *object;
        const char *name;
        int r;

        if (strncmp(f->path, below, strlen(below)) != 0 || (r = encode_field(f, base, &value)) == 0)
            continue;
        if (r < 0)
            return r;
        if (!(object = object_for(root, f->path + strlen(below), &name))) {
            json_decref(value);
            return -ENOMEM;
        }
        if (json_object_set_new(object, name, value) < 0)
            return -ENOMEM;
    }
    *ret = json_incref(root);
    return 0;
}

static int get_uint(const json_t *value, void *at)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return -EBADMSG;
    *(uint64_t *)at = (uint64_t)json_integer_value(value);
    return 0;
}

static int get_millis(const json_t *value, void *at)
{
    double ms = json_number_value(value);

    if (!json_is_number(value) || ms < 0 || ms > MILLIS_MAX)
        return -EBADMSG;
    *(uint64_t *)at = (uint64_t)(ms * 1000 + 0.5);
    return 0;
}

static int get_text(const char *text, bool needed, char **at)
{
    if (!text || (needed && !*text))
        return -EBADMSG;
    if (!*text)
        return 0;
    *at = strdup(text);
    return *at ? 0 : -ENOMEM;
}

static int get_time(const char *text, int64_t *at)
{
    int64_t ns;

    if (!text || clock_parse(text, &ns) < 0)
        return -EBADMSG;
    *at = ns - ns % 1000000; /* as far as encoding keeps it */
    return 0;
}

static int decode_field(const struct json_field *f, const json_t *value, void *base)
{
    const char *text = json_string_value(value); /* NULL if it is not a string */
    void *at = (char *)base + f->offset;

    if (f->decode)
        return f->decode(value, at);
    switch (f->kind) {
    case FIELD_CONSTANT:
        return text_eq(text, f->constant) ? 0 : -EBADMSG;
    case FIELD_TEXT:
        return get_text(text, f->needed, at);
    case FIELD_COUNT:
    case FIELD_NONZERO:
    case FIELD_KNOWN:
        return get_uint(value, at);
    case FIELD_TIME:
        return get_time(text, at);
    case FIELD_MILLIS:
        return get_millis(value, at);
    case FIELD_CUSTOM:
    case FIELD_CHARS:
    case FIELD_INT:
    case FIELD_UNSIGNED:
    case FIELD_TRUE:
        break;
    }
    return -EBADMSG;
}

/* The value at a path; NULL if there is none. -EBADMSG if the path leads through something that is no object. */
static int find(const json_t *root, const char *path, const json_t **ret)
{
    const char *dot = strchr(path, '.');
    char group[32];

    if (dot) {
        snprintf(group, sizeof(group), "%.*s", (int)(dot - path), path);
        root = json_object_get(root, group);
        if (root && !json_is_object(root))
            return -EBADMSG;
        path = dot + 1;
    }
    *ret = json_object_get(root, path);
    return 0;
}

int json_fields_decode(const struct json_field *table, const json_t *root, void *base,
                       const struct json_field **ret_bad)
{
    for (const struct json_field *f = table; f->path; f++) {
        const json_t *value = NULL;
        int r = find(root, f->path, &value);

        if (r == 0 && !value && !f->needed)
            continue;
        if (r == 0)
            r = value ? decode_field(f, value, base) : -ENOENT;
        if (r < 0) {
            *ret_bad = f;
            return r;
        }
    }
    return 0;
}

void json_fields_done(const struct json_field *table, void *base)
{
    for (const struct json_field *f = table; f->path; f++)
        if (f->kind == FIELD_TEXT)
            free(*(char **)((char *)base + f->offset));
}
