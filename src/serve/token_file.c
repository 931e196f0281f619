/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Strict: a line that is not understood makes the whole file wrong, as a right that was meant and is
 * missing, or the other way round, is worse than the file of before.
 */
#include "serve/token_file.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"

enum { LINE_MAX_SIZE = 4096, FIELDS = 4 };

void token_hash_make(const char *token, unsigned char ret[TOKEN_HASH])
{
    SHA256((const unsigned char *)token, strlen(token), ret);
}

int token_hash_parse(const char *text, unsigned char ret[TOKEN_HASH])
{
    static const char PREFIX[] = "sha256:";

    if (!text_starts(text, PREFIX))
        return -EINVAL;
    return text_unhex(text + strlen(PREFIX), ret, TOKEN_HASH);
}

static bool name_is_good(const char *name)
{
    size_t size = strlen(name);

    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("._-", *c)))
            return false;
    return size > 0 && size <= TOKEN_NAME_MAX;
}

static bool token_is_good(const char *token)
{
    size_t size = strlen(token);

    for (const char *c = token; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return false;
    return size >= TOKEN_MIN && size <= TOKEN_MAX;
}

/* What is wrong; NULL: nothing. */
static const char *read_token(const char *text, struct token *ret)
{
    if (text_starts(text, "sha256:"))
        return token_hash_parse(text, ret->hash) < 0 ? "after sha256: come 64 hexadecimal digits" : NULL;
    if (!token_is_good(text))
        return "a token has 16 to 512 visible characters";
    token_hash_make(text, ret->hash);
    return NULL;
}

static int split(char *line, char *field[FIELDS])
{
    int count = 0;

    for (char *at = line;;) {
        at += strspn(at, " \t\r");
        if (!*at)
            return count;
        if (count == FIELDS)
            return FIELDS + 1;
        field[count++] = at;
        at += strcspn(at, " \t\r");
        if (*at)
            *at++ = '\0';
    }
}

/* line is cut into its fields. NULL, or what is wrong; *ret_result: -ENOMEM if it is memory. */
static const char *read_line(char *line, struct token *ret, int *ret_result)
{
    char *field[FIELDS];
    const char *wrong;
    unsigned rights;

    *ret_result = -FAULT_FORMAT;
    if (split(line, field) != FIELDS)
        return "a line has a name, a token, its rights and its namespaces";
    if (!name_is_good(field[0]))
        return "a name has letters, digits, '.', '_' and '-'";
    if ((wrong = read_token(field[1], ret)))
        return wrong;
    if (grants_parse_rights(field[2], &rights) < 0)
        return "rights are list, read, write, delete and admin, with commas";
    if (!grants_patterns_are_good(field[3]))
        return "namespaces are names or patterns such as shop,pay-*, or *";
    memcpy(ret->name, field[0], strlen(field[0]) + 1);
    *ret_result = grants_add(&ret->grants, rights, field[3], false);
    return *ret_result < 0 ? "out of memory" : NULL;
}

static int add_line(struct token_file *f, const char *text, size_t size, struct err *e)
{
    struct token token = {0};
    char line[LINE_MAX_SIZE];
    const char *wrong;
    int r;

    if (size >= sizeof(line))
        return err_set(e, -FAULT_FORMAT, "it is too long");
    if (memchr(text, '\0', size))
        return err_set(e, -FAULT_FORMAT, "it is no text");
    memcpy(line, text, size);
    line[size] = '\0';
    if (line[strspn(line, " \t\r")] == '\0' || line[strspn(line, " \t")] == '#')
        return 0;
    wrong = read_line(line, &token, &r);
    OPENSSL_cleanse(line, sizeof(line));
    if (wrong)
        return err_set(e, r, "%s", wrong);
    if ((r = array_reserve(&f->token, f->count + 1, &f->capacity, sizeof(*f->token), TOKENS_MAX)) < 0) {
        grants_done(&token.grants);
        return r == -E2BIG ? err_set(e, -FAULT_FORMAT, "more than %d tokens", TOKENS_MAX)
                           : err_set(e, r, "out of memory");
    }
    f->token[f->count++] = token;
    return 0;
}

int token_file_parse(const char *text, size_t size, struct token_file *ret, struct err *e)
{
    CLEANUP(token_file_done) struct token_file f = {0};
    unsigned number = 0;
    int r;

    assert((text || size == 0) && ret && !ret->token);
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t line = end ? (size_t)(end - text) - at : size - at;

        number++;
        if ((r = add_line(&f, text + at, line, e)) < 0)
            return err_prefix(e, r, "line %u", number);
        at += line + 1;
    }
    *ret = f;
    f = (struct token_file){0};
    return 0;
}

void token_file_done(struct token_file *f)
{
    for (size_t i = 0; i < f->count; i++)
        grants_done(&f->token[i].grants);
    free(f->token);
    *f = (struct token_file){0};
}

const struct token *token_file_find(const struct token_file *f, const unsigned char hash[TOKEN_HASH])
{
    const struct token *found = NULL;

    for (size_t i = 0; i < f->count; i++)
        if (CRYPTO_memcmp(f->token[i].hash, hash, TOKEN_HASH) == 0)
            found = &f->token[i];
    return found;
}
