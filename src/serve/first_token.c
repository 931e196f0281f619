/* SPDX-License-Identifier: Apache-2.0
 *
 * A token with a prefix that scanners of secrets can be taught, and 256 random bits.
 */
#include "serve/first_token.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/state_folder.h"

enum { RANDOM_BYTES = 32, LINE_SIZE = sizeof("sha256:") - 1 + (size_t)2 * TOKEN_HASH + 1 };

static const char NAME[] = "token", PREFIX[] = "salvage_";

int first_token_load(int state_fd, unsigned char ret_hash[TOKEN_HASH], struct err *e)
{
    CLEANUP_FD int fd = openat(state_fd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    unsigned char hash[TOKEN_HASH];
    char text[LINE_SIZE + 1];
    struct stat st;
    ssize_t size;

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0 || (size = file_read(fd, text, LINE_SIZE)) < 0)
        return err_set(e, -FAULT_STATE, "the root's .salvage/%s: %s", NAME, strerror(errno));
    text[size] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (!S_ISREG(st.st_mode) || !state_is_ours(&st, false) || token_hash_parse(text, hash) < 0)
        return err_set(
            e, -FAULT_STATE,
            "the root's .salvage/%s holds no digest of a token, or others may write to it: --new-token makes "
            "another one",
            NAME);
    memcpy(ret_hash, hash, TOKEN_HASH);
    return 1;
}

int first_token_keep(int state_fd, const struct secret *token, struct err *e)
{
    unsigned char hash[TOKEN_HASH];
    char hex[2 * TOKEN_HASH + 1], line[LINE_SIZE + 1];
    int r;

    assert(state_fd >= 0 && token);
    token_hash_make(secret_expose(token), hash);
    text_hex(hash, sizeof(hash), hex);
    snprintf(line, sizeof(line), "sha256:%s\n", hex);
    r = file_replace(state_fd, NAME, line, strlen(line), 0600);
    return r < 0 ? err_set(e, -FAULT_STATE, "the root's .salvage/%s: %s", NAME, strerror(-r)) : 0;
}

int first_token_make(struct secret **ret, struct err *e)
{
    unsigned char random[RANDOM_BYTES];
    char text[sizeof(PREFIX) + (size_t)2 * RANDOM_BYTES];

    assert(ret);
    if (RAND_bytes(random, sizeof(random)) != 1)
        return err_set(e, -EIO, "no random bytes");
    memcpy(text, PREFIX, sizeof(PREFIX));
    text_hex(random, sizeof(random), text + strlen(PREFIX));
    *ret = secret_new(text, strlen(text));
    OPENSSL_cleanse(random, sizeof(random));
    OPENSSL_cleanse(text, sizeof(text));
    return *ret ? 0 : err_set(e, -ENOMEM, "out of memory");
}
