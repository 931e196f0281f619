/* SPDX-License-Identifier: Apache-2.0
 *
 * Knows the events that matter by their names in base/events.c.
 */
#include "run/event_summary.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/events.h"
#include "base/text.h"

static bool is(const char *name, enum event event)
{
    return text_eq(name, event_find(event)->name);
}

static uint64_t number(const json_t *json, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(json, key));

    return value > 0 ? (uint64_t)value : 0;
}

/* Replaces *field, unless text is no string. */
static void replace(char **field, const json_t *text)
{
    char *copy = json_is_string(text) ? strdup(json_string_value(text)) : NULL;

    if (!copy)
        return;
    free(*field);
    *field = copy;
}

static void add_shipped(struct event_summary *t, const json_t *json)
{
    uint64_t bytes = number(json, "bytes");

    t->shipped++;
    t->bytes += bytes;
    if (t->url && bytes < t->largest)
        return;
    t->largest = bytes;
    replace(&t->url, json_object_get(json, "url"));
}

void event_summary_add(struct event_summary *t, const char *line, size_t size)
{
    assert(line);
    json_t *json = json_loadb(line, size, 0, NULL);
    const char *name = json_string_value(json_object_get(json, "event"));

    if (!name) {
        json_decref(json);
        return;
    }
    if (is(name, EVENT_STARTED)) {
        t->started = true;
    } else if (is(name, EVENT_SHIPPED) || is(name, EVENT_ALREADY_STORED)) {
        add_shipped(t, json);
    } else if (is(name, EVENT_FAILED) || is(name, EVENT_GAVE_UP) || is(name, EVENT_UNREADABLE)) {
        replace(&t->error, json_object_get(json, "error"));
    } else if (is(name, EVENT_STOPPED)) {
        t->stopped = true;
        t->left = number(json, "left") + number(json, "failed");
    }
    json_decref(json);
}

void event_summary_restart(struct event_summary *t)
{
    t->started = t->stopped = false;
    t->left = 0;
}

void event_summary_done(struct event_summary *t)
{
    free(t->url);
    free(t->error);
    *t = (struct event_summary){0};
}
