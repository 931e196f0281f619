/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a map of the configuration into a struct, by a table of its keys.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "node/config_tree.h"

enum config_key_type {
    CONFIG_KEY_TEXT,     /* const char * */
    CONFIG_KEY_PATH,     /* the same: an absolute path */
    CONFIG_KEY_TIME,     /* the same: a duration */
    CONFIG_KEY_LIST,     /* struct opt_list: a list of texts, or one text */
    CONFIG_KEY_FLAG,     /* bool: true or false */
    CONFIG_KEY_DURATION, /* uint64_t, milliseconds */
    CONFIG_KEY_NODE      /* const struct config_node *: read by the caller */
};

struct config_key {
    const char *name; /* NULL: the table's end */
    size_t offset;    /* of the field */
    enum config_key_type type;
    bool required;
};

enum { CONFIG_KEYS_MAX = 32 };

/* true, yes, on; false, no, off. False: it is none of them. */
bool config_keys_flag(const char *text, bool *ret);

/* what: "a rule", for messages. Strings point into the tree. A key without a value is as if it were missing. False:
 * some of it is wrong, and an error was added. */
bool config_keys_read(const struct config_node *n, const struct config_key *keys, const char *what, void *to,
                      struct config_errors *errors);
