/* SPDX-License-Identifier: Apache-2.0
 *
 * The token of a first start: for an administrator, made at random, shown once. The root keeps its SHA-256 alone, in
 * .salvage/token.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"
#include "serve/token_file.h"

/* ret_hash: of the token that is there. 1; 0: none is there; -FAULT_STATE: the file is another user's or malformed. */
int first_token_load(int state_fd, unsigned char ret_hash[TOKEN_HASH], struct err *e);

int first_token_make(struct secret **ret, struct err *e);

/* What was there before is no longer valid. */
int first_token_keep(int state_fd, const struct secret *token, struct err *e);
