/* SPDX-License-Identifier: Apache-2.0
 *
 * Callers and their rights: which proof of who they are a request brings, and who can tell what it is worth.
 */
#include "serve/access.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/caller.h"
#include "serve/credential.h"
#include "serve/first_token.h"
#include "serve/login_limit.h"
#include "serve/state_folder.h"
#include "serve/token_set.h"

struct access {
    struct access_config config;
    struct token_set *tokens;
    struct login_limit *limit;
    struct secret *made;
};

DEFINE_CLEANUP(struct access *, access_free)
DEFINE_CLEANUP(struct caller *, caller_free)
DEFINE_CLEANUP(struct secret *, secret_free)

/* Whether anybody could get in without the root's token. */
static bool has_other_ways(const struct access_config *c)
{
    return c->tokens != NULL;
}

static int check_without_root(const struct access_config *c, struct err *e)
{
    if (c->new_token)
        return err_set(e, -FAULT_USAGE, "--new-token: only a store with --root keeps a token");
    if (!has_other_ways(c) && !c->anonymous_read)
        return err_set(e, -FAULT_USAGE, "serve: who may use it? --tokens FILE, or --anonymous-read");
    return 0;
}

static int open_root_token(struct access *a, int root_fd, struct err *e)
{
    CLEANUP_FD int state = -1;
    unsigned char hash[TOKEN_HASH];
    int r = 0;

    if (root_fd < 0)
        return check_without_root(&a->config, e);
    if ((state = state_folder_open(root_fd, e)) < 0)
        return state;
    if (!a->config.new_token && (r = first_token_load(state, hash, e)) < 0)
        return r;
    if (r == 0) {
        if (has_other_ways(&a->config) && !a->config.new_token)
            return 0;
        if ((r = first_token_make(state, &a->made, e)) < 0)
            return r;
        token_hash_make(secret_expose(a->made), hash);
        log_event(EVENT_TOKEN_MADE, LOG_STR("root", a->config.root));
    }
    token_set_add_admin(a->tokens, hash);
    return 0;
}

int access_new(const struct access_config *config, int root_fd, struct access **ret, struct err *e)
{
    CLEANUP(access_free_ptr) struct access *a = calloc(1, sizeof(*a));
    int r;

    assert(config && ret && (config->root != NULL) == (root_fd >= 0));
    if (!a)
        return err_set(e, -ENOMEM, "out of memory");
    a->config = *config;
    if (!(a->limit = login_limit_new()))
        return err_set(e, -ENOMEM, "out of memory");
    if ((r = token_set_new(config->tokens, &a->tokens, e)) < 0)
        return r;
    if ((r = open_root_token(a, root_fd, e)) < 0)
        return r;
    *ret = TAKE_PTR(a);
    return 0;
}

void access_free(struct access *a)
{
    if (!a)
        return;
    token_set_free(a->tokens);
    login_limit_free(a->limit);
    secret_free(a->made);
    free(a);
}

const struct secret *access_made_token(const struct access *a)
{
    return a->made;
}

static int refuse(struct access *a, const char *address, struct err *e)
{
    unsigned failures;

    if (login_limit_failed(a->limit, address, clock_mono_ms(), &failures))
        log_event(EVENT_SIGN_IN_FAILED, LOG_STR("client", address), LOG_UINT("failures", failures));
    return err_set(e, -FAULT_CREDENTIALS, "this token is not valid here");
}

static int identify_credential(struct access *a, const char *address, const struct secret *credential,
                               struct caller *ret, struct err *e)
{
    unsigned char hash[TOKEN_HASH];
    uint64_t wait_ms;
    int r;

    token_hash_make(secret_expose(credential), hash);
    if ((wait_ms = login_limit_wait(a->limit, address, hash, clock_mono_ms())) > 0) {
        err_set(e, -FAULT_BUSY, "too many tokens from your address were not valid: wait");
        e->retry_after_ms = (unsigned)wait_ms;
        return -FAULT_BUSY;
    }
    if ((r = token_set_find(a->tokens, hash, ret)) < 0)
        return err_set(e, r, "out of memory");
    if (r == 0)
        return refuse(a, address, e);
    login_limit_succeeded(a->limit, hash);
    return 0;
}

int access_identify(struct access *a, const struct exchange *x, struct caller **ret, struct err *e)
{
    CLEANUP(caller_free_ptr) struct caller *c = calloc(1, sizeof(*c));
    CLEANUP(secret_free_ptr) struct secret *credential = NULL;
    const char *header = exchange_header(x, "Authorization");
    int r = 0;

    assert(ret);
    if (!c)
        return err_set(e, -ENOMEM, "out of memory");
    if (header && (r = credential_parse(header, &credential)) == -EINVAL)
        return refuse(a, exchange_client(x), e);
    if (r < 0)
        return err_set(e, r, "out of memory");
    if (credential) {
        if ((r = identify_credential(a, exchange_client(x), credential, c, e)) < 0)
            return r;
    } else {
        c->anonymous = true;
        snprintf(c->name, sizeof(c->name), "anonymous");
    }
    *ret = TAKE_PTR(c);
    return 0;
}

void caller_free(struct caller *c)
{
    if (!c)
        return;
    grants_done(&c->grants);
    free(c);
}

const char *caller_name(const struct caller *c)
{
    return c->name;
}

bool caller_is_anonymous(const struct caller *c)
{
    return c->anonymous;
}

unsigned caller_rights(struct access *a, struct caller *c, const char *namespace)
{
    unsigned rights = a->config.anonymous_read ? RIGHT_LIST | RIGHT_READ : 0;

    return rights | grants_rights(&c->grants, namespace);
}
