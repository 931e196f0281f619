/* SPDX-License-Identifier: Apache-2.0
 *
 * libyaml's events, one after the other, put below the list or map that is open.
 */
#include "node/config_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"

struct reading {
    yaml_parser_t parser;
    struct config_errors *errors;
    struct config_node *root;
    struct config_node *open[CONFIG_DEPTH_MAX]; /* lists and maps that have not ended; borrowed */
    char *key[CONFIG_DEPTH_MAX];                /* of each open map: its key that waits for a value; owned */
    unsigned key_line[CONFIG_DEPTH_MAX];
    size_t depth, nodes;
    bool ended;
};

void config_errors_add(struct config_errors *errors, unsigned line, const char *format, ...)
{
    char text[sizeof(errors->item[0].text)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args); /* NOLINT(clang-analyzer-valist.Uninitialized): it is, a line above */
    va_end(args);
    if (errors->count < CONFIG_ERRORS_MAX) {
        errors->item[errors->count].line = line;
        text_printable(text, errors->item[errors->count].text, sizeof(text));
    }
    errors->count++;
}

void config_tree_free(struct config_node *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->count; i++) {
        free(n->entry[i].key);
        config_tree_free(n->entry[i].value); /* at most CONFIG_DEPTH_MAX deep */
    }
    free(n->entry);
    free(n->text);
    free(n);
}

DEFINE_CLEANUP(struct config_node *, config_tree_free)

static int refuse(struct reading *r, unsigned line, const char *text)
{
    config_errors_add(r->errors, line, "%s", text);
    return -EINVAL;
}

static unsigned line_of(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

static bool has_key(const struct config_node *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (text_eq(map->entry[i].key, key))
            return true;
    return false;
}

/* Puts the node below what is open. Takes it over, on failure, too. */
static int add_node(struct reading *r, struct config_node *node)
{
    CLEANUP(config_tree_free_ptr) struct config_node *n = node;
    struct config_node *parent = r->depth > 0 ? r->open[r->depth - 1] : NULL;
    int result;

    if (!parent) {
        r->root = TAKE_PTR(n);
        return 0;
    }
    if ((result = array_reserve(&parent->entry, parent->count + 1, &parent->capacity, sizeof(*parent->entry),
                                CONFIG_NODES_MAX)) < 0)
        return result;
    parent->entry[parent->count].line = parent->kind == CONFIG_MAP ? r->key_line[r->depth - 1] : n->line;
    parent->entry[parent->count].key = TAKE_PTR(r->key[r->depth - 1]);
    parent->entry[parent->count++].value = TAKE_PTR(n);
    return 0;
}

/* The next text of a map is a key. */
static bool wants_key(const struct reading *r)
{
    return r->depth > 0 && r->open[r->depth - 1]->kind == CONFIG_MAP && !r->key[r->depth - 1];
}

static int on_key(struct reading *r, const char *key, size_t size, unsigned line)
{
    size_t at = r->depth - 1;

    if (strlen(key) != size)
        return refuse(r, line, "a key contains a NUL");
    if (has_key(r->open[at], key)) {
        config_errors_add(r->errors, line, "\"%s\" stands here twice", key);
        return -EINVAL;
    }
    r->key_line[at] = line;
    return (r->key[at] = strdup(key)) ? 0 : -ENOMEM;
}

static int on_node(struct reading *r, enum config_kind kind, unsigned line, const char *text)
{
    struct config_node *n;
    int result;

    if (wants_key(r))
        return refuse(r, line, "a key must be a word");
    if (++r->nodes > CONFIG_NODES_MAX)
        return refuse(r, line, "too long: there are more than 10000 values");
    if (kind != CONFIG_TEXT && r->depth == CONFIG_DEPTH_MAX)
        return refuse(r, line, "lists and maps are nested more than 16 deep");
    if (!(n = calloc(1, sizeof(*n))))
        return -ENOMEM;
    n->kind = kind;
    n->line = line;
    if (text && !(n->text = strdup(text))) {
        config_tree_free(n);
        return -ENOMEM;
    }
    if ((result = add_node(r, n)) == 0 && kind != CONFIG_TEXT)
        r->open[r->depth++] = n;
    return result;
}

static int on_text(struct reading *r, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    bool nothing = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && (text_eq(text, "~") || text_eq(text, "null"));

    if (wants_key(r))
        return on_key(r, text, event->data.scalar.length, line_of(event));
    if (strlen(text) != event->data.scalar.length)
        return refuse(r, line_of(event), "a text contains a NUL");
    return on_node(r, CONFIG_TEXT, line_of(event), nothing ? "" : text);
}

/* Anchors are useless without aliases; tags would make another type of a text. */
static int check_plain(struct reading *r, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (event->type == YAML_ALIAS_EVENT)
        return refuse(r, line_of(event), "aliases (*name) are not supported: write the value again");
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    return anchor ? refuse(r, line_of(event), "anchors (&name) are not supported")
           : tag  ? refuse(r, line_of(event), "tags (!name) are not supported: put a text that begins with ! in quotes")
                  : 0;
}

static int on_event(struct reading *r, const yaml_event_t *event)
{
    int result = check_plain(r, event);

    if (result < 0)
        return result;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return r->root ? refuse(r, line_of(event), "a second document begins here: one is allowed") : 0;
    case YAML_SCALAR_EVENT:
        return on_text(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_node(r, CONFIG_LIST, line_of(event), NULL);
    case YAML_MAPPING_START_EVENT:
        return on_node(r, CONFIG_MAP, line_of(event), NULL);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        r->depth--;
        return 0;
    case YAML_STREAM_END_EVENT:
        r->ended = true;
        return 0;
    default:
        return 0;
    }
}

static int on_syntax_error(struct reading *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *context = p->context ? p->context : "", *joint = p->context ? ": " : "";

    if (p->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    config_errors_add(r->errors, (unsigned)p->problem_mark.line + 1, "this is not YAML: %s%s%s", context, joint,
                      p->problem ? p->problem : "malformed");
    return -EINVAL;
}

static int read_events(struct reading *r)
{
    int result = 0;

    while (result == 0 && !r->ended) {
        yaml_event_t event;

        if (!yaml_parser_parse(&r->parser, &event))
            return on_syntax_error(r);
        result = on_event(r, &event);
        yaml_event_delete(&event);
    }
    return result;
}

int config_tree_read(const char *data, size_t size, struct config_node **ret, struct config_errors *errors)
{
    struct reading r = {.errors = errors};
    int result;

    assert(data && ret && errors);
    if (size > CONFIG_SIZE_MAX)
        return refuse(&r, 0, "longer than 256 KiB");
    if (!yaml_parser_initialize(&r.parser))
        return -ENOMEM;
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)data, size);
    result = read_events(&r);
    yaml_parser_delete(&r.parser);
    for (size_t i = 0; i < CONFIG_DEPTH_MAX; i++)
        free(r.key[i]);
    if (result == 0 && !r.root)
        result = refuse(&r, 0, "there is nothing in it");
    if (result < 0)
        config_tree_free(r.root);
    else
        *ret = r.root;
    return result;
}
