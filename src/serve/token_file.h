/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The file of --tokens: a line for each token, fields between white space; empty lines and those that
 * begin with '#' are skipped.
 *
 *     NAME  sha256:HEX or the token itself  list,read,write,delete,admin,agent  NAMESPACES
 *
 * A token has 16 to 512 visible characters of ASCII; only its SHA-256 is kept. NAMESPACES: patterns such as shop,pay-*,
 * or * for all.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "serve/caller.h"

enum { TOKEN_NAME_MAX = 64, TOKEN_MIN = 16, TOKEN_MAX = 512, TOKENS_MAX = 4096, TOKEN_FILE_MAX = 1024 * 1024 };
enum { TOKEN_HASH = 32 };

struct token {
    char name[TOKEN_NAME_MAX + 1];
    unsigned char hash[TOKEN_HASH]; /* SHA-256 */
    struct grants grants;
};

struct token_file {
    struct token *token;
    size_t count, capacity;
};

/* ret: zeroed; untouched on failure: -FAULT_FORMAT with "line 3: …", -ENOMEM. No message holds a token. */
int token_file_parse(const char *text, size_t size, struct token_file *ret, struct err *e);
void token_file_done(struct token_file *f);

/* The token of that hash, NULL without. Takes the same time whatever the hash is. */
const struct token *token_file_find(const struct token_file *f, const unsigned char hash[TOKEN_HASH]);

/* "sha256:HEX" into ret; -EINVAL. */
int token_hash_parse(const char *text, unsigned char ret[TOKEN_HASH]);
void token_hash_make(const char *token, unsigned char ret[TOKEN_HASH]);
