/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A YAML text as a tree of maps, lists and texts, each with its line, and the errors of a configuration
 * with theirs. One document without anchors, aliases and tags: a text can't grow when it is read. Duplicate keys are
 * errors.
 */
#pragma once

#include <stddef.h>

enum {
    CONFIG_SIZE_MAX = 256 * 1024, /* bytes of a text */
    CONFIG_DEPTH_MAX = 16,
    CONFIG_NODES_MAX = 10000,
    CONFIG_ERRORS_MAX = 20
};

struct config_error {
    unsigned line; /* from 1; 0: none */
    char text[256];
};

/* All that were found, in the order of finding; item has the first CONFIG_ERRORS_MAX of them. */
struct config_errors {
    struct config_error item[CONFIG_ERRORS_MAX];
    unsigned count;
};

void config_errors_add(struct config_errors *errors, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum config_kind { CONFIG_TEXT, CONFIG_LIST, CONFIG_MAP };

struct config_node {
    enum config_kind kind;
    unsigned line;
    char *text;                 /* CONFIG_TEXT: "" for nothing (`key:`) */
    struct config_entry *entry; /* of a list or map, in the order of the text */
    size_t count, capacity;
};

struct config_entry {
    char *key; /* NULL in a list */
    unsigned line;
    struct config_node *value;
};

/* *ret: to be freed by config_tree_free. -EINVAL: the errors say why; -ENOMEM. */
int config_tree_read(const char *data, size_t size, struct config_node **ret, struct config_errors *errors);
void config_tree_free(struct config_node *n);
