/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests and their ends, by a clock of the test's own. Nothing here waits.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/mem.h"
#include "serve/captures.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static uint64_t now = 1000000;
static struct captures *captures;

static uint64_t clock_of_test(void)
{
    return now;
}

static int setup(void **state)
{
    const struct captures_config config = {.clock_ms = clock_of_test, .store_url = "s3://b/prefix/"};

    (void)state;
    captures = NULL;
    return captures_new(&config, &captures);
}

static int teardown(void **state)
{
    (void)state;
    captures_free(captures);
    return 0;
}

static int add(const char *namespace, const char *pod, const char *by, char id[CAPTURE_ID_MAX])
{
    struct capture_order o = {.what = CAPTURE_CORE};
    struct err e;

    snprintf(o.namespace, sizeof(o.namespace), "%s", namespace);
    snprintf(o.pod, sizeof(o.pod), "%s", pod);
    return captures_add(captures, &o, by, id, &e);
}

static struct capture_view view(const char *id)
{
    struct capture_view v;

    assert_int_equal(captures_wait(captures, id, 0, now, &v), 0);
    return v;
}

static bool may_shop(void *ctx, const char *namespace)
{
    (void)ctx;
    return strcmp(namespace, "secret") != 0;
}

/* How many are offered; *after grows as an agent's does. */
static unsigned poll(const char *node, uint64_t *after)
{
    struct capture_agent a = {.node = node, .after = *after, .until_ms = now, .may = may_shop};
    CLEANUP_FREE struct capture_offers *o = calloc(1, sizeof(*o));
    struct err e;

    assert_non_null(o);
    assert_int_equal(captures_offer(captures, &a, o, &e), 0);
    for (unsigned i = 0; i < o->count; i++)
        if (o->item[i].number > *after)
            *after = o->item[i].number;
    return o->count;
}

static int report(const char *id, const char *node, enum capture_state state)
{
    CLEANUP_FREE struct capture_report *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    r->state = state;
    snprintf(r->node, sizeof(r->node), "%s", node);
    strncpy(r->url, "s3://b/prefix/shop/cart-0/x", CAPTURE_URL_MAX - 1);
    return captures_report(captures, id, r, may_shop, NULL);
}

static void a_request_that_no_node_has_fails_once_all_have_seen_it(void **state)
{
    uint64_t one = 0, two = 0;
    char id[CAPTURE_ID_MAX];

    (void)state;
    poll("one", &one);
    poll("two", &two);
    assert_int_equal(add("shop", "cart-0", "ann", id), 0);
    assert_int_equal(poll("one", &one), 1);
    assert_int_equal(poll("one", &one), 0);
    assert_int_equal(poll("two", &two), 1);
    now += 6 * SECOND;
    assert_int_equal(view(id).report.state, CAPTURE_QUEUED); /* "two" has not asked again */
    poll("two", &two);
    assert_int_equal(view(id).report.state, CAPTURE_FAILED);
    assert_non_null(strstr(view(id).report.text, "2 nodes were asked"));
}

static void without_agents_a_request_waits_a_minute_for_one(void **state)
{
    uint64_t after = 0;
    char id[CAPTURE_ID_MAX];

    (void)state;
    assert_int_equal(add("shop", "cart-0", "ann", id), 0);
    now += 59 * SECOND;
    assert_int_equal(view(id).report.state, CAPTURE_QUEUED);
    now += 2 * SECOND;
    assert_non_null(strstr(view(id).report.text, "no agent of a node is connected"));
    assert_int_equal(poll("late", &after), 0);
    assert_int_equal(report(id, "late", CAPTURE_TAKEN), -FAULT_EXISTS);
}

static void an_agent_that_ends_its_reports_has_failed(void **state)
{
    uint64_t after = 0;
    char id[CAPTURE_ID_MAX];

    (void)state;
    assert_int_equal(add("shop", "cart-0", "ann", id), 0);
    assert_int_equal(poll("one", &after), 1);
    assert_int_equal(report(id, "one", CAPTURE_TAKEN), 0);
    for (int i = 0; i < 20; i++, now += 15 * SECOND)
        assert_int_equal(report(id, "one", CAPTURE_TAKEN), 0);
    assert_int_equal(view(id).report.state, CAPTURE_TAKEN);
    now += MINUTE;
    assert_int_equal(view(id).report.state, CAPTURE_FAILED);
    assert_non_null(strstr(view(id).report.text, "node one"));
}

static void evidence_in_our_store_has_its_key(void **state)
{
    char id[CAPTURE_ID_MAX];

    (void)state;
    assert_int_equal(add("shop", "cart-0", "ann", id), 0);
    assert_int_equal(report(id, "one", CAPTURE_DONE), 0);
    assert_string_equal(view(id).report.key, "shop/cart-0/x");
    assert_int_equal(add("shop", "cart-0", "ann", id), 0); /* the pod is free again */
}

static void what_an_agent_may_not_see_does_not_exist_for_it(void **state)
{
    uint64_t after = 0;
    char id[CAPTURE_ID_MAX];

    (void)state;
    assert_int_equal(add("secret", "cart-0", "ann", id), 0);
    assert_int_equal(poll("one", &after), 0);
    assert_int_equal(report(id, "one", CAPTURE_TAKEN), -ENOENT);
}

static void what_is_over_is_known_for_an_hour_and_never_too_much_of_it(void **state)
{
    char first[CAPTURE_ID_MAX], id[CAPTURE_ID_MAX];
    struct capture_view v;

    (void)state;
    assert_int_equal(add("shop", "cart-0", "ann", first), 0);
    assert_int_equal(report(first, "one", CAPTURE_DONE), 0);
    now += 59 * MINUTE;
    assert_int_equal(add("shop", "cart-1", "ann", id), 0);
    assert_int_equal(report(id, "one", CAPTURE_DONE), 0);
    assert_int_equal(view(first).report.state, CAPTURE_DONE);
    now += 2 * MINUTE;
    assert_int_equal(add("shop", "cart-2", "ann", id), 0);
    assert_int_equal(report(id, "one", CAPTURE_DONE), 0);
    assert_int_equal(captures_wait(captures, first, 0, now, &v), -ENOENT);
    for (int i = 0; i < CAPTURES_MAX + 10; i++) {
        assert_int_equal(add("shop", "cart-2", "ann", id), 0);
        assert_int_equal(report(id, "one", CAPTURE_DONE), 0);
    }
    assert_int_equal(view(id).report.state, CAPTURE_DONE);
}

static void namespaces_and_persons_have_limits_and_so_has_all(void **state)
{
    char id[CAPTURE_ID_MAX], pod[16], name[16], person[16];
    unsigned added = 0;

    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned k = 0; k < 20; k++) {
            snprintf(pod, sizeof(pod), "p%u", k);
            snprintf(name, sizeof(name), "ns-%u", i);
            snprintf(person, sizeof(person), "%u-%u", i, k);
            added += add(name, pod, person, id) == 0;
            if (k == 10)
                assert_int_equal(added, i < 25 ? 10 * (i + 1) : CAPTURES_OPEN_MAX);
        }
    }
    assert_int_equal(added, CAPTURES_OPEN_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_that_no_node_has_fails_once_all_have_seen_it),
        TEST(without_agents_a_request_waits_a_minute_for_one),
        TEST(an_agent_that_ends_its_reports_has_failed),
        TEST(evidence_in_our_store_has_its_key),
        TEST(what_an_agent_may_not_see_does_not_exist_for_it),
        TEST(what_is_over_is_known_for_an_hour_and_never_too_much_of_it),
        TEST(namespaces_and_persons_have_limits_and_so_has_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
