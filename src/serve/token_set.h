/* SPDX-License-Identifier: Apache-2.0
 *
 * Which tokens are valid: those of a file, read again when it changes, and one of the root. Safe to use from many
 * threads.
 */
#pragma once

#include "serve/token_file.h"

struct token_set;

/* path: of --tokens, NULL: none; borrowed. -FAULT_CREDENTIALS: the file cannot be read, others may read it, or it is
 * malformed. */
int token_set_new(const char *path, struct token_set **ret, struct err *e);
void token_set_free(struct token_set *s);

/* The token of the root: an administrator in every namespace. */
void token_set_add_admin(struct token_set *s, const unsigned char hash[TOKEN_HASH]);

/* 1: known: its name is "token:NAME", its grants are added to caller; 0: not known; -ENOMEM. Before, reads the file
 * again if it has changed; one that cannot be used any more leaves the tokens of before, with an event. */
int token_set_find(struct token_set *s, const unsigned char hash[TOKEN_HASH], struct caller *caller);
