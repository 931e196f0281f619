/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of strings that owns them and ends with NULL: command lines and environments as exec wants them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct strv {
    char **item; /* NULL while empty */
    size_t count, capacity;
};

/* All return 0 or -ENOMEM; on failure the list is as before. */
int strv_add(struct strv *v, const char *text);
int strv_printf(struct strv *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
int strv_add_all(struct strv *v, char *const *items);

/* In an environment: NAME=value in the place of what NAME was, or at the end. */
int strv_set(struct strv *v, const char *name, const char *value);

bool strv_has(const struct strv *v, const char *text);
bool strv_same(const struct strv *a, const struct strv *b); /* the same texts in the same order */

void strv_done(struct strv *v);
