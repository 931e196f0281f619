/* SPDX-License-Identifier: Apache-2.0
 *
 * Any answer of an API server: a user that is read has a name, is the same after a cache, and a service account's
 * namespace can be one.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "kubeapi/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_user(const struct review_user *user)
{
    CLEANUP(review_user_done) struct review_user again = {0};
    CLEANUP(buf_done) struct buf text = {0}, question = {0};
    struct review_action action = {.verb = "get", .resource = "pods"};
    struct review_account account;

    assert(*review_user_name(user) && review_user_write(user, &text) == 0);
    assert(review_access_write(user, &action, &(struct review_object){"shop", NULL}, &question) == 0);
    if (review_user_read(buf_text(&text), text.size, &again) == 0) /* else it has become larger than it may be */
        assert(strcmp(review_user_name(user), review_user_name(&again)) == 0);
    if (review_account_get(user, &account) == 0)
        assert(review_is_namespace(account.namespace) && *account.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    CLEANUP(review_user_done) struct review_user user = {0};
    struct review_action action;

    assert(text);
    if (review_token_read((const char *)data, size, "salvage", &user) == 1)
        check_user(&user);
    else
        assert(!user.user);
    review_access_read((const char *)data, size);
    if (review_action_parse(text, &action) == 0)
        assert(*action.verb && *action.resource);
    return 0;
}
