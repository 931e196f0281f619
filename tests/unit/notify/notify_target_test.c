/* SPDX-License-Identifier: Apache-2.0
 *
 * Targets from texts: forms, namespaces, files; and that no message and no name repeats a secret URL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "notify/notify_target.h"

static void a_target_has_form_namespace_and_url(void **state)
{
    CLEANUP(notify_targets_done) struct notify_targets t = {0};
    struct notice shop = {.namespace = "shop"}, bank = {.namespace = "bank"}, none = {0};
    struct err e;

    (void)state;
    assert_int_equal(notify_targets_add(&t, "shop*=slack:https://hooks.example/T0/SECRET", &e), 0);
    assert_int_equal(notify_targets_add(&t, "json:http://10.0.0.1:8080/x?a=b:c", &e), 0);
    assert_int_equal(notify_targets_add(&t, "exec:/usr/local/bin/page", &e), 0);
    assert_string_equal(t.target[0].form->name, "slack");
    assert_string_equal(t.target[0].name, "slack hooks.example");
    assert_string_equal(t.target[1].url, "http://10.0.0.1:8080/x?a=b:c");
    assert_string_equal(t.target[1].name, "json 10.0.0.1:8080");
    assert_true(notify_target_wants(&t.target[0], &shop) && !notify_target_wants(&t.target[0], &bank));
    assert_true(!notify_target_wants(&t.target[0], &none) && notify_target_wants(&t.target[1], &none));
    assert_true(notify_target_is_command(&t.target[2]) && !notify_target_is_command(&t.target[1]));
    assert_string_not_equal(t.target[0].id, t.target[1].id);
}

static void kubernetes_needs_no_url_and_wants_pods_only(void **state)
{
    CLEANUP(notify_targets_done) struct notify_targets t = {0};
    struct notice pod = {.namespace = "shop", .pod = "cart-0"}, bank = {.namespace = "bank", .pod = "till-0"},
                  host = {.namespace = "shop", .place = "host/node-7"};

    (void)state;
    assert_int_equal(notify_targets_add(&t, "kubernetes", NULL), 0);
    assert_int_equal(notify_targets_add(&t, "shop=kubernetes", NULL), 0);
    assert_int_equal(notify_targets_add(&t, "kubernetes:http://127.0.0.1:8001", NULL), 0);
    assert_int_equal(notify_targets_add(&t, "shop=kubernetes-annotation", NULL), 0);
    for (size_t i = 0; i < t.count; i++)
        assert_true(notify_target_is_kubernetes(&t.target[i]) && notify_target_wants(&t.target[i], &pod) &&
                    !notify_target_wants(&t.target[i], &host));
    assert_true(notify_target_wants(&t.target[0], &bank) && !notify_target_wants(&t.target[1], &bank));
    assert_string_equal(t.target[0].name, "kubernetes");
    assert_string_equal(t.target[2].name, "kubernetes 127.0.0.1:8001");
    assert_string_not_equal(t.target[0].id, t.target[2].id);
    assert_string_not_equal(t.target[1].id, t.target[3].id);
}

static void what_is_no_target_is_refused_without_its_url(void **state)
{
    static const char *const TEXTS[] = {"",
                                        "slack",
                                        "slack:",
                                        "slack:SECRET",
                                        "slack:ftp://host/SECRET",
                                        "slack:https://host/SECRET x",
                                        "email:SECRET@example",
                                        "https://host/SECRET",
                                        "shop=https://host/SECRET",
                                        "exec:SECRET",
                                        "slack:https://user:SECRET@host/",
                                        "kubernetes:",
                                        "kubernetes:SECRET"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++) {
        CLEANUP(notify_targets_done) struct notify_targets t = {0};
        struct err e = {0};

        if (notify_targets_add(&t, TEXTS[i], &e) != -FAULT_USAGE)
            fail_msg("'%s' was not refused", TEXTS[i]);
        assert_null(strstr(e.msg, "SECRET"));
        assert_int_equal(t.count, 0);
    }
}

static void too_many_are_refused(void **state)
{
    CLEANUP(notify_targets_done) struct notify_targets t = {0};
    struct err e = {0};

    (void)state;
    for (int i = 0; i < NOTIFY_TARGETS_MAX; i++)
        assert_int_equal(notify_targets_add(&t, "exec:/bin/true", &e), 0);
    assert_int_equal(notify_targets_add(&t, "exec:/bin/true", &e), -FAULT_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_has_form_namespace_and_url),
        cmocka_unit_test(kubernetes_needs_no_url_and_wants_pods_only),
        cmocka_unit_test(what_is_no_target_is_refused_without_its_url),
        cmocka_unit_test(too_many_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
