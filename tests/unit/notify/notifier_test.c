/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue and its delivery: what waits survives, targets that fail are tried again, a crash loop becomes one notice
 * with a count, and what can't be delivered is dropped with an event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "notify/deliver.h"
#include "notify/notifier.h"
#include "notify/queue.h"

#include "captured_log.h"
#include "scratch.h"

/* In the place of a server. */
static struct {
    unsigned asked;
    long status;
    char url[200], body[4096];
} service;

static int answer(void *ctx, const struct http_request *r, struct http_answer *ret, struct err *e)
{
    (void)ctx, (void)e;
    service.asked++;
    snprintf(service.url, sizeof(service.url), "%s", r->url);
    snprintf(service.body, sizeof(service.body), "%.*s", (int)r->body_size, (const char *)r->body);
    ret->status = service.status;
    return 0;
}

static struct notify_targets targets;

static int set_up(void **state)
{
    memset(&service, 0, sizeof(service));
    service.status = 200;
    if (scratch_set_up(state) < 0 || !capture_log())
        return -1;
    return notify_targets_add(&targets, "json:http://service.example/hook", NULL);
}

static int tear_down(void **state)
{
    notify_targets_done(&targets);
    release_log();
    return scratch_tear_down(state);
}

static void put(const char *id, const char *workload)
{
    const struct notice n = {.id = (char *)(uintptr_t)id,
                             .sentence = "it died",
                             .namespace = "shop",
                             .workload = (char *)(uintptr_t)workload,
                             .cause = "java-oom"};
    unsigned wanted = 0;

    assert_int_equal(queue_put(scratch_fd, &targets, &n, &wanted, NULL), 0);
    assert_int_equal(wanted, 1);
}

static struct notifier *notifier(uint64_t every_ms, uint64_t give_up_ms)
{
    const struct notifier_config config = {.targets = &targets,
                                           .http = {.transport = answer},
                                           .every_ms = every_ms,
                                           .give_up_ms = give_up_ms,
                                           .keep_folders = true};
    struct notifier *n;

    assert_int_equal(notifier_new(&config, &n, NULL), 0);
    assert_int_equal(notifier_add_folder(n, fcntl(scratch_fd, F_DUPFD_CLOEXEC, 3)), 0);
    assert_int_equal(notifier_add_folder(n, fcntl(scratch_fd, F_DUPFD_CLOEXEC, 3)), 0); /* the same: once */
    return n;
}

static size_t waiting(void)
{
    CLEANUP(queue_done) struct queue q = {0};

    assert_int_equal(queue_load(scratch_fd, &targets.target[0], &q, NULL), 0);
    return q.count;
}

static void one_case_is_one_notice(void **state)
{
    struct notifier *n = notifier(60000, 0);

    (void)state;
    assert_int_equal(notifier_run(n), UINT64_MAX);
    put("shop/cart-1/a", "cart");
    assert_int_equal(waiting(), 1);
    assert_int_equal(notifier_run(n), UINT64_MAX);
    assert_int_equal(service.asked, 1);
    assert_string_equal(service.url, "http://service.example/hook");
    assert_non_null(strstr(service.body, "shop/cart-1/a"));
    assert_int_equal(waiting(), 0);
    assert_int_equal(notifier_run(n), UINT64_MAX);
    assert_int_equal(service.asked, 1);
    notifier_free(n);
}

static void a_crash_loop_is_one_notice_with_a_count(void **state)
{
    struct notifier *n = notifier(150, 0);
    uint64_t wait;

    (void)state;
    put("shop/cart-1/a", "cart");
    notifier_run(n);
    put("shop/cart-1/b", "cart");
    put("shop/cart-1/c", "cart");
    put("shop/cart-1/d", "cart");
    put("shop/till-1/e", "till");
    wait = notifier_run(n);
    assert_true(wait > 0 && wait <= 150);
    assert_int_equal(service.asked, 2);
    assert_non_null(strstr(service.body, "shop/till-1/e"));
    assert_int_equal(waiting(), 3);
    clock_sleep_ms(160);
    assert_int_equal(notifier_run(n), UINT64_MAX);
    assert_int_equal(service.asked, 3);
    assert_non_null(strstr(service.body, "shop/cart-1/d"));
    assert_non_null(strstr(service.body, "\"more\":2"));
    assert_int_equal(waiting(), 0);
    notifier_free(n);
}

static void a_target_that_fails_is_tried_again_and_then_gets_all(void **state)
{
    struct notifier *n = notifier(60000, 0);
    uint64_t wait;

    (void)state;
    service.status = 503;
    put("shop/cart-1/a", "cart");
    put("shop/cart-1/b", "cart");
    wait = notifier_run(n);
    assert_true(wait >= 400 && wait <= 1000);
    assert_int_equal(notifier_run(n) <= 1000, 1); /* not before */
    assert_int_equal(service.asked, 1);
    assert_non_null(strstr(captured_log(), "event=notice-waits"));
    assert_null(strstr(captured_log(), "/hook"));
    notifier_free(n);

    service.status = 204; /* another process goes on */
    n = notifier(60000, 0);
    assert_int_equal(notifier_run(n), UINT64_MAX);
    assert_int_equal(service.asked, 2);
    assert_non_null(strstr(service.body, "\"more\":1"));
    assert_int_equal(waiting(), 0);
    notifier_free(n);
}

static void what_waits_too_long_is_dropped_with_an_event(void **state)
{
    struct notifier *n = notifier(60000, 30);

    (void)state;
    put("shop/cart-1/a", "cart");
    clock_sleep_ms(40);
    assert_int_equal(notifier_run(n), UINT64_MAX);
    assert_int_equal(service.asked, 0);
    assert_int_equal(waiting(), 0);
    assert_non_null(strstr(captured_log(), "event=notice-dropped"));
    notifier_free(n);
}

static void a_damaged_notice_holds_up_no_other(void **state)
{
    struct notifier *n = notifier(60000, 0);

    (void)state;
    scratch_put(targets.target[0].id, "0000000000000001-0123456789abcdef.json", "{\"id\":");
    put("shop/cart-1/a", "cart");
    assert_int_equal(notifier_run(n), UINT64_MAX);
    assert_int_equal(service.asked, 1);
    assert_non_null(strstr(captured_log(), "reason=damaged"));
    notifier_free(n);
}

static void other_namespaces_are_not_asked_for(void **state)
{
    CLEANUP(notify_targets_done) struct notify_targets shop = {0};
    const struct notice n = {.id = "bank/x/y", .sentence = "it died", .namespace = "bank"};
    unsigned wanted = 9;

    (void)state;
    assert_int_equal(notify_targets_add(&shop, "shop=json:http://service.example/", NULL), 0);
    assert_int_equal(queue_put(scratch_fd, &shop, &n, &wanted, NULL), 0);
    assert_int_equal(wanted, 0);
}

/* Writes its input and its environment to files beside itself. */
static void a_program_gets_the_notice_and_none_of_our_secrets(void **state)
{
    CLEANUP(notify_targets_done) struct notify_targets commands = {0};
    CLEANUP_FREE char *here = realpath(scratch_root, NULL), *target = NULL;
    CLEANUP(buf_done) struct buf script = {0}, got = {0};
    const struct notice n = {.id = "shop/x/y", .sentence = "it died"};
    struct err e = {0};

    (void)state;
    assert_int_equal(
        buf_printf(&script, "#!/bin/sh\ncat > %s/got; env >> %s/got; [ ! -e %s/fail ]\n", here, here, here), 0);
    scratch_put(".", "page", buf_text(&script));
    assert_int_equal(fchmodat(scratch_fd, "page", 0755, 0), 0);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    assert_true(asprintf(&target, "exec:%s/page", here) > 0);
    assert_int_equal(notify_targets_add(&commands, target, NULL), 0);
    assert_int_equal(deliver(&commands.target[0], &n, NULL, &e), 0);
    assert_int_equal(file_load(scratch_fd, "got", &got), 0);
    assert_non_null(strstr(buf_text(&got), "\"sentence\":\"it died\""));
    assert_null(strstr(buf_text(&got), "SECRET"));

    scratch_put(".", "fail", "");
    assert_int_equal(deliver(&commands.target[0], &n, NULL, &e), -FAULT_BUSY);
    assert_non_null(strstr(e.msg, "status 1"));
    assert_int_equal(unlinkat(scratch_fd, "page", 0), 0);
    assert_int_equal(deliver(&commands.target[0], &n, NULL, &e), -FAULT_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_case_is_one_notice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_crash_loop_is_one_notice_with_a_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_target_that_fails_is_tried_again_and_then_gets_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_waits_too_long_is_dropped_with_an_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_notice_holds_up_no_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_namespaces_are_not_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_program_gets_the_notice_and_none_of_our_secrets, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
