/* SPDX-License-Identifier: Apache-2.0
 *
 * Reviews of Kubernetes' API: what is asked, and which answers count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "kubeapi/review.h"

#define ANSWER(status) "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\",\"status\":" status "}"
#define USER(name) "\"user\":{\"username\":\"" name "\",\"uid\":\"7\",\"groups\":[\"dev\"]}"
#define ACCESS(status)                                                                                                 \
    "{\"kind\":\"SubjectAccessReview\",\"apiVersion\":\"authorization.k8s.io/v1\",\"status\":" status "}"

static int read_token(const char *text, const char *audience, struct review_user *user)
{
    return review_token_read(text, strlen(text), audience, user);
}

static void a_token_counts_for_its_audience_alone(void **state)
{
    static const char OURS[] = ANSWER("{\"authenticated\":true," USER("ann") ",\"audiences\":[\"a\",\"salvage\"]}"),
                      THEIRS[] = ANSWER("{\"authenticated\":true," USER("ann") ",\"audiences\":[\"a\"]}"),
                      OLD[] = ANSWER("{\"authenticated\":true," USER("ann") "}"),
                      NOBODY[] = ANSWER("{\"error\":\"expired\"}");
    struct review_user user = {0};

    (void)state;
    assert_int_equal(read_token(OURS, "salvage", &user), 1);
    assert_string_equal(review_user_name(&user), "ann");
    review_user_done(&user);
    assert_int_equal(read_token(THEIRS, "salvage", &user), 0);
    assert_int_equal(read_token(OLD, "salvage", &user), 0); /* an API server that ignores audiences */
    assert_int_equal(read_token(NOBODY, "salvage", &user), 0);
    assert_null(user.user);
    assert_int_equal(read_token(OLD, NULL, &user), 1);
    review_user_done(&user);
}

static void other_answers_are_none(void **state)
{
    static const char *const TEXTS[] = {
        "",
        "[]",
        "{}",
        ANSWER("1"),
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":{\"authenticated\":true," USER("ann") "}}",
        ANSWER("{\"authenticated\":true}"),
        ANSWER("{\"authenticated\":true," USER("") "}"),
        ANSWER("{\"authenticated\":true,\"authenticated\":true," USER("ann") "}"),
    };
    struct review_user user = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
        if (read_token(TEXTS[i], NULL, &user) != -EBADMSG || user.user)
            fail_msg("%s", TEXTS[i]);
    /* What is not true is no. */
    assert_int_equal(read_token(ANSWER("{\"authenticated\":\"true\"," USER("ann") "}"), NULL, &user), 0);
}

static int read_access(const char *text)
{
    return review_access_read(text, strlen(text));
}

static void access_is_allowed_in_so_many_words(void **state)
{
    (void)state;
    assert_int_equal(read_access(ACCESS("{\"allowed\":true}")), 1);
    assert_int_equal(read_access(ACCESS("{\"allowed\":false}")), 0);
    assert_int_equal(read_access(ACCESS("{\"allowed\":1}")), 0);
    assert_int_equal(read_access(ACCESS("{\"allowed\":true,\"denied\":true}")), 0);
    assert_int_equal(read_access(ACCESS("null")), -EBADMSG);
    assert_int_equal(read_access(ANSWER("{\"allowed\":true}")), -EBADMSG);
}

static void what_is_asked_names_the_user_as_the_api_server_did(void **state)
{
    static const char TEXT[] = ANSWER("{\"authenticated\":true,\"user\":{\"username\":\"ann\",\"uid\":\"7\","
                                      "\"groups\":[\"dev\"],\"extra\":{\"x\":[\"y\"]}}}");
    CLEANUP(review_user_done) struct review_user user = {0};
    CLEANUP(buf_done) struct buf question = {0};
    struct review_action action;
    json_t *root, *spec;

    (void)state;
    assert_int_equal(read_token(TEXT, NULL, &user), 1);
    assert_int_equal(review_action_parse("create pods/exec", &action), 0);
    assert_int_equal(review_access_write(&user, &action, &(struct review_object){"shop", "cart-0"}, &question), 0);
    root = json_loads(buf_text(&question), 0, NULL);
    spec = json_object_get(root, "spec");
    assert_string_equal(json_string_value(json_object_get(spec, "user")), "ann");
    assert_string_equal(json_string_value(json_array_get(json_object_get(spec, "groups"), 0)), "dev");
    assert_true(json_is_object(json_object_get(spec, "extra")));
    spec = json_object_get(spec, "resourceAttributes");
    assert_string_equal(json_string_value(json_object_get(spec, "verb")), "create");
    assert_string_equal(json_string_value(json_object_get(spec, "resource")), "pods");
    assert_string_equal(json_string_value(json_object_get(spec, "subresource")), "exec");
    assert_string_equal(json_string_value(json_object_get(spec, "namespace")), "shop");
    assert_string_equal(json_string_value(json_object_get(spec, "name")), "cart-0");
    json_decref(root);
}

static void assert_account(const char *name, const char *wanted)
{
    struct review_user user = {.user = json_pack("{s:s}", "username", name)};
    struct review_account a;
    int r = review_account_get(&user, &a);

    if ((r == 0) != (wanted != NULL) || (wanted && strcmp(a.namespace, wanted) != 0))
        fail_msg("%s", name);
    review_user_done(&user);
}

static void service_accounts_have_a_namespace(void **state)
{
    (void)state;
    assert_account("system:serviceaccount:shop:cart", "shop");
    assert_account("system:serviceaccount:shop", NULL);
    assert_account("system:serviceaccount::cart", NULL);
    assert_account("system:serviceaccount:shop:", NULL);
    assert_account("system:serviceaccount:Sh/op:cart", NULL);
    assert_account("ann", NULL);
}

static void actions_have_a_verb_and_a_resource(void **state)
{
    static const char *const WRONG[] = {"",          "get",        "get ",     " pods",   "get pods/",
                                        "get pods.", "get pods x", "GET pods", "get ../x"};
    struct review_action a;

    (void)state;
    assert_int_equal(review_action_parse("list cases/why.salvage.example", &a), 0);
    assert_string_equal(a.resource, "cases");
    assert_string_equal(a.subresource, "why");
    assert_string_equal(a.group, "salvage.example");
    for (size_t i = 0; i < ARRAY_SIZE(WRONG); i++)
        if (review_action_parse(WRONG[i], &a) != -EINVAL)
            fail_msg("'%s'", WRONG[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_counts_for_its_audience_alone),
        cmocka_unit_test(other_answers_are_none),
        cmocka_unit_test(access_is_allowed_in_so_many_words),
        cmocka_unit_test(what_is_asked_names_the_user_as_the_api_server_did),
        cmocka_unit_test(service_accounts_have_a_namespace),
        cmocka_unit_test(actions_have_a_verb_and_a_resource),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
