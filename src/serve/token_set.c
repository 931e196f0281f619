/* SPDX-License-Identifier: Apache-2.0
 *
 * The file is looked at once a second, at most: by its identity, size and times, so that a Secret of Kubernetes counts,
 * too, where a link is changed.
 */
#include "serve/token_set.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

enum { LOOK_MS = 1000 };

struct token_set {
    const char *path;
    pthread_mutex_t lock;
    struct token_file file;
    struct stat seen;
    uint64_t looked_ms;
    bool has_admin;
    unsigned char admin[TOKEN_HASH];
};

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mode == b->st_mode &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int read_file(const char *path, struct token_file *ret, struct err *e)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct buf text = {.ceiling = TOKEN_FILE_MAX};
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(e, -FAULT_CREDENTIALS, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(e, -FAULT_CREDENTIALS, "it is no file");
    if (st.st_mode & 007)
        return err_set(e, -FAULT_CREDENTIALS, "others may use it (mode %04o): chmod 640", (unsigned)st.st_mode & 07777);
    r = file_load_fd(fd, &text);
    if (r < 0)
        err_set(e, -FAULT_CREDENTIALS, "%s", r == -EMSGSIZE ? "it is larger than 1 MiB" : strerror(-r));
    else if ((r = token_file_parse(buf_text(&text), text.size, ret, e)) == -FAULT_FORMAT)
        r = -FAULT_CREDENTIALS;
    if (text.data)
        OPENSSL_cleanse(text.data, text.size);
    buf_done(&text);
    return r < 0 ? -FAULT_CREDENTIALS : 0;
}

int token_set_new(const char *path, struct token_set **ret, struct err *e)
{
    CLEANUP_FREE struct token_set *s = calloc(1, sizeof(*s));
    int r;

    assert(ret);
    if (!s)
        return err_set(e, -ENOMEM, "out of memory");
    s->path = path;
    if (path && stat(path, &s->seen) < 0)
        memset(&s->seen, 0, sizeof(s->seen));
    if (path && (r = read_file(path, &s->file, e)) < 0)
        return err_prefix(e, r, "--tokens %s", path);
    pthread_mutex_init(&s->lock, NULL);
    *ret = TAKE_PTR(s);
    return 0;
}

void token_set_free(struct token_set *s)
{
    if (!s)
        return;
    token_file_done(&s->file);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void token_set_add_admin(struct token_set *s, const unsigned char hash[TOKEN_HASH])
{
    memcpy(s->admin, hash, TOKEN_HASH);
    s->has_admin = true;
}

/* The lock is held. */
static void refresh(struct token_set *s)
{
    struct token_file file = {0};
    struct stat now = {0};
    struct err e = {0};

    if (!s->path || (s->looked_ms && clock_mono_ms() - s->looked_ms < LOOK_MS))
        return;
    s->looked_ms = clock_mono_ms();
    if (stat(s->path, &now) < 0)
        memset(&now, 0, sizeof(now));
    if (is_same(&now, &s->seen))
        return;
    s->seen = now;
    if (read_file(s->path, &file, &e) < 0) {
        log_event(EVENT_TOKENS_NOT_READ, LOG_STR("file", s->path), LOG_STR("error", e.msg),
                  LOG_UINT("tokens", s->file.count));
        return;
    }
    token_file_done(&s->file);
    s->file = file;
    log_event(EVENT_TOKENS_READ, LOG_STR("file", s->path), LOG_UINT("tokens", s->file.count));
}

static int take(const char *name, const struct grants *grants, struct caller *caller)
{
    snprintf(caller->name, sizeof(caller->name), "token:%s", name);
    return grants_copy(&caller->grants, grants) < 0 ? -ENOMEM : 1;
}

int token_set_find(struct token_set *s, const unsigned char hash[TOKEN_HASH], struct caller *caller)
{
    static char everything[] = "*";
    static struct grant admin = {.rights = RIGHT_ADMIN, .namespaces = everything};
    const struct token *token;
    int r = 0;

    if (s->has_admin && CRYPTO_memcmp(s->admin, hash, TOKEN_HASH) == 0)
        return take("root", &(struct grants){.item = &admin, .count = 1}, caller);
    pthread_mutex_lock(&s->lock);
    refresh(s);
    if ((token = token_file_find(&s->file, hash)))
        r = take(token->name, &token->grants, caller);
    pthread_mutex_unlock(&s->lock);
    return r;
}
