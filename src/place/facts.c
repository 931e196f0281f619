/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of facts, and the functions that walk it.
 */
#include "place/facts.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define FIELD(member)                                                                                                  \
    {                                                                                                                  \
#member, offsetof(struct facts, member)                                                                        \
    }

const struct fact_field FACT_FIELDS[] = {
    FIELD(cluster),      FIELD(family), FIELD(revision),     FIELD(task),     FIELD(launch_type),   FIELD(container),
    FIELD(container_id), FIELD(image),  FIELD(image_digest), FIELD(instance), FIELD(instance_type), FIELD(region),
    FIELD(zone),         {0},
};

static char **member(struct facts *f, const struct fact_field *field)
{
    return (char **)((char *)f + field->offset);
}

static const char *value_of(const struct facts *f, const struct fact_field *field)
{
    return *(char *const *)((const char *)f + field->offset);
}

void facts_done(struct facts *f)
{
    for (const struct fact_field *field = FACT_FIELDS; field->name; field++)
        free(*member(f, field));
    *f = (struct facts){0};
}

static bool is_printable_line(const char *text)
{
    size_t left = strnlen(text, FACT_MAX + 1);

    if (left == 0 || left > FACT_MAX)
        return false;
    for (size_t n; left > 0; text += n, left -= n) {
        n = text_utf8_length(text, left);
        if (n == 0 || (unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    }
    return true;
}

int facts_set(char **field, const char *text)
{
    if (*field || !text || !is_printable_line(text))
        return 0;
    *field = strdup(text);
    return *field ? 0 : -ENOMEM;
}

void facts_merge(struct facts *into, struct facts *from)
{
    for (const struct fact_field *field = FACT_FIELDS; field->name; field++)
        if (!*member(into, field))
            *member(into, field) = TAKE_PTR(*member(from, field));
    into->asked |= from->asked;
}

int facts_copy(const struct facts *f, struct facts *ret)
{
    CLEANUP(facts_done) struct facts copy = {.asked = f->asked};

    for (const struct fact_field *field = FACT_FIELDS; field->name; field++)
        if (facts_set(member(&copy, field), value_of(f, field)) < 0)
            return -ENOMEM;
    *ret = copy;
    copy = (struct facts){0};
    return 0;
}

int facts_of_machine(const struct facts *f, struct facts *ret)
{
    struct facts machine = {.instance = f->instance,
                            .instance_type = f->instance_type,
                            .region = f->region,
                            .zone = f->zone,
                            .asked = f->asked};

    return facts_copy(&machine, ret);
}

int facts_encode(const struct facts *f, struct buf *ret)
{
    json_auto_t *root = json_object();
    CLEANUP_FREE char *text = NULL;

    if (!root || json_object_set_new(root, "asked", json_boolean(f->asked)) < 0)
        return -ENOMEM;
    for (const struct fact_field *field = FACT_FIELDS; field->name; field++)
        if (value_of(f, field) && json_object_set_new(root, field->name, json_string(value_of(f, field))) < 0)
            return -ENOMEM;
    text = json_dumps(root, JSON_COMPACT);
    return text ? buf_printf(ret, "%s\n", text) : -ENOMEM;
}

int facts_decode(const char *json, size_t size, struct facts *ret)
{
    CLEANUP(facts_done) struct facts f = {0};
    json_auto_t *root = NULL;
    json_error_t error;

    if (size > FACTS_MAX)
        return -EBADMSG;
    root = json_loadb(json ? json : "", size, JSON_REJECT_DUPLICATES, &error);
    if (!root && json_error_code(&error) == json_error_out_of_memory)
        return -ENOMEM;
    if (!json_is_object(root) || !json_is_boolean(json_object_get(root, "asked")))
        return -EBADMSG;
    f.asked = json_is_true(json_object_get(root, "asked"));
    for (const struct fact_field *field = FACT_FIELDS; field->name; field++) {
        const json_t *value = json_object_get(root, field->name);

        if (value && !json_is_string(value))
            return -EBADMSG;
        if (facts_set(member(&f, field), json_string_value(value)) < 0)
            return -ENOMEM;
    }
    *ret = f;
    f = (struct facts){0};
    return 0;
}
