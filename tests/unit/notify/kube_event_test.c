/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of Kubernetes: reasons, messages within 1,024 bytes, names that repeat for the same case, and whose pod it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "notify/kube_event.h"

static const int64_t NOW = INT64_C(1795917605123000000); /* 2026-11-29T02:00:05.123Z */

static struct notice cart(void)
{
    return (struct notice){.id = "shop/cart-7f9c/20261129T020005Z-java-oom-0123456789abcdef",
                           .sentence = "The JVM in app ran out of Java heap.",
                           .summary = "Thread \"http-8\" ran out of memory at com.shop.Cart.add",
                           .namespace = "shop",
                           .pod = "cart-7f9c",
                           .pod_uid = "0f0e0d0c-1111-2222-3333-444455556666",
                           .container = "app",
                           .cause = "java-oom",
                           .kind = "heap-dump",
                           .object = "s3://evidence/shop/cart-7f9c/x/heap.hprof.zst",
                           .time_ns = NOW - INT64_C(2000000000)};
}

static json_t *made(const struct notice *n, const struct kube_event_more *more)
{
    CLEANUP(buf_done) struct buf body = {0};
    json_t *root;

    assert_int_equal(kube_event_write(n, more, NOW, &body), 0);
    root = json_loadb(body.data, body.size, 0, NULL);
    assert_non_null(root);
    return root;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "(none)";
}

static void an_event_is_about_the_pod_and_its_container(void **state)
{
    struct notice n = cart();
    json_auto_t *event = made(&n, &(struct kube_event_more){.uid = n.pod_uid, .node = "node-7"});
    const json_t *pod = json_object_get(event, "involvedObject");

    (void)state;
    assert_string_equal(text_of(event, "kind"), "Event");
    assert_string_equal(text_of(pod, "kind"), "Pod");
    assert_string_equal(text_of(pod, "namespace"), "shop");
    assert_string_equal(text_of(pod, "name"), "cart-7f9c");
    assert_string_equal(text_of(pod, "uid"), n.pod_uid);
    assert_string_equal(text_of(pod, "fieldPath"), "spec.containers{app}");
    assert_string_equal(text_of(event, "type"), "Warning");
    assert_string_equal(text_of(event, "reason"), "OutOfMemoryError");
    assert_string_equal(text_of(event, "firstTimestamp"), "2026-11-29T02:00:03Z");
    assert_string_equal(text_of(event, "lastTimestamp"), "2026-11-29T02:00:05Z");
    assert_string_equal(text_of(json_object_get(event, "source"), "host"), "node-7");
    assert_string_equal(text_of(event, "message"),
                        "The JVM in app ran out of Java heap. Thread \"http-8\" ran out of memory at "
                        "com.shop.Cart.add. Evidence: salvage get s3://evidence/shop/cart-7f9c/x/heap.hprof.zst");
    assert_int_equal(json_integer_value(json_object_get(event, "count")), 1);
}

static void reasons_are_words_that_people_know(void **state)
{
    static const struct {
        char *cause, *kind;
        const char *reason;
    } rows[] = {
        {"oom-kill", "oom-kill", "OOMKilled"},
        {"pressure", "oom-kill", "OOMKilled"},
        {"pressure", "heap-dump", "MemoryPressure"},
        {"java-oom", "heap-dump", "OutOfMemoryError"},
        {"signal", "core", "Crashed"},
        {"user", "heap-dump", "HeapDump"},
        {"unknown", "core", "Core"},
        {NULL, NULL, "Evidence"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct notice n = cart();

        n.cause = rows[i].cause;
        n.kind = rows[i].kind;
        assert_string_equal(kube_event_reason(&n), rows[i].reason);
    }
}

static void what_a_person_asked_for_is_no_warning(void **state)
{
    struct notice n = cart();
    json_auto_t *event = NULL;

    (void)state;
    n.cause = "user";
    event = made(&n, &(struct kube_event_more){0});
    assert_string_equal(text_of(event, "type"), "Normal");
    assert_string_equal(text_of(json_object_get(event, "involvedObject"), "uid"), "(none)");
}

static void a_long_message_is_cut_before_where_the_evidence_is(void **state)
{
    char sentence[5000], message[KUBE_EVENT_MESSAGE_MAX + 1], object[900];
    struct notice n = cart();

    (void)state;
    for (size_t i = 0; i < sizeof(sentence) - 1; i += 2)
        memcpy(sentence + i, "\xc3\xa4", 2); /* two bytes a character */
    sentence[sizeof(sentence) - 2] = '\0';
    memset(object, 'o', sizeof(object) - 1);
    object[sizeof(object) - 1] = '\0';
    n.sentence = n.summary = sentence;
    n.exit_code = 137;
    assert_true(strlen(kube_event_message(&n, message)) <= KUBE_EVENT_MESSAGE_MAX);
    assert_true(text_ends(message, " Evidence: salvage get s3://evidence/shop/cart-7f9c/x/heap.hprof.zst"));
    assert_null(strchr(message, '?')); /* no half character */
    n.object = object;
    assert_true(strlen(kube_event_message(&n, message)) <= KUBE_EVENT_MESSAGE_MAX);
    assert_true(text_ends(message, "ooo"));
    n.sentence = "It died.";
    n.summary = "x\033[2J\ny";
    n.link = "https://salvage.example/-/case/x";
    assert_string_equal(kube_event_message(&n, message),
                        "It died. Exit code 137. x?[2J?y. Evidence: https://salvage.example/-/case/x");
}

static void the_same_case_has_the_same_name_and_another_one_another(void **state)
{
    struct notice n = cart();
    char first[KUBE_EVENT_NAME_MAX], again[KUBE_EVENT_NAME_MAX];

    (void)state;
    assert_string_equal(kube_event_name(&n, first), kube_event_name(&n, again));
    assert_true(text_starts(first, "cart-7f9c.salvage-") && strlen(first) <= 253);
    n.kind = "oom-kill"; /* of the same case: how it ended */
    n.cause = "pressure";
    assert_string_not_equal(kube_event_name(&n, again), first);
    n = cart();
    n.id = "shop/cart-7f9c/20261129T030005Z-java-oom-fedcba9876543210";
    assert_string_not_equal(kube_event_name(&n, again), first);
}

static void names_that_are_none_never_become_a_path(void **state)
{
    static char *const bad[] = {NULL, "", "..", "a/b", "a%2fb", "A", "a?x", "-a", ".a", "a..b", "a b", "a\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct notice n = cart();

        n.pod = bad[i];
        assert_false(kube_event_has_pod(&n));
        n = cart();
        n.namespace = bad[i];
        assert_false(kube_event_has_pod(&n));
    }
    struct notice n = cart();
    assert_true(kube_event_has_pod(&n));
    n.pod = "cart.v2-0";
    assert_true(kube_event_has_pod(&n));
    n.namespace = "shop.v2";
    assert_false(kube_event_has_pod(&n));
}

static void the_uid_of_a_pod_is_read_from_the_api_servers_answer(void **state)
{
    static const char good[] = "{\"kind\":\"Pod\",\"metadata\":{\"uid\":\"0f0e-1\"}}",
                      bad[] = "{\"kind\":\"Pod\",\"metadata\":{\"uid\":\"../x\"}}";
    CLEANUP_FREE char *uid = kube_event_read_uid(good, strlen(good));

    (void)state;
    assert_string_equal(uid, "0f0e-1");
    assert_null(kube_event_read_uid(bad, strlen(bad)));
    assert_null(kube_event_read_uid("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_about_the_pod_and_its_container),
        cmocka_unit_test(reasons_are_words_that_people_know),
        cmocka_unit_test(what_a_person_asked_for_is_no_warning),
        cmocka_unit_test(a_long_message_is_cut_before_where_the_evidence_is),
        cmocka_unit_test(the_same_case_has_the_same_name_and_another_one_another),
        cmocka_unit_test(names_that_are_none_never_become_a_path),
        cmocka_unit_test(the_uid_of_a_pod_is_read_from_the_api_servers_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
