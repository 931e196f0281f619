/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings come from a child in order, and a check that hangs or crashes becomes a finding itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/finding.h"

enum { PATIENCE_MS = 10 * 1000 };

static struct finding_group begin(void (*run)(const struct findings *, const void *), const void *ctx)
{
    struct finding_group g = {.run = run, .ctx = ctx, .child = REPORT_CHILD_NONE};

    assert_int_equal(finding_start(&g), 0);
    return g;
}

static void next_is(struct finding_group *g, enum finding_result result, const char *name, const char *text)
{
    struct finding f;

    assert_int_equal(finding_next(g, clock_mono_ms() + PATIENCE_MS, &f), 1);
    assert_int_equal(f.result, result);
    assert_string_equal(f.name, name);
    assert_string_equal(f.text, text);
}

static void ends(struct finding_group *g)
{
    struct finding f;

    assert_int_equal(finding_next(g, clock_mono_ms() + PATIENCE_MS, &f), 0);
    assert_int_equal(g->child.pid, 0);
    assert_int_equal(finding_next(g, 0, &f), 0);
}

static void three(const struct findings *f, const void *ctx)
{
    finding_step(f, "dns", "a step is no finding");
    finding_ok(f, "dns", "%s has an address", (const char *)ctx);
    finding_warn(f, "clock", "set it", "%d s late", 90);
    finding_step(f, "tcp", "another");
    finding_fail(f, "tcp", NULL, "refused");
}

static void findings_come_in_order(void **state)
{
    struct finding_group g = begin(three, "store");

    (void)state;
    next_is(&g, FINDING_OK, "dns", "store has an address");
    next_is(&g, FINDING_WARN, "clock", "90 s late");
    next_is(&g, FINDING_FAIL, "tcp", "refused");
    ends(&g);
}

static void remedy_and_foreign_bytes(const struct findings *f, const void *ctx)
{
    (void)ctx;
    finding_add(f, &(struct finding_head){FINDING_WARN, "name", "do\x1b[2J this"}, "a\nb\x1b]0;x");
}

static void foreign_bytes_cannot_reach_a_terminal(void **state)
{
    struct finding_group g = begin(remedy_and_foreign_bytes, NULL);
    struct finding f;

    (void)state;
    assert_int_equal(finding_next(&g, clock_mono_ms() + PATIENCE_MS, &f), 1);
    assert_null(strpbrk(f.text, "\n\x1b"));
    assert_null(strpbrk(f.remedy, "\n\x1b"));
    assert_non_null(strstr(f.remedy, "this"));
    ends(&g);
}

static void long_text(const struct findings *f, const void *ctx)
{
    finding_ok(f, "a name that is too long for its place", "%s", (const char *)ctx);
}

static void a_text_that_is_too_long_is_cut(void **state)
{
    static char text[3 * FINDING_TEXT_MAX];
    struct finding_group g = begin(long_text, memset(text, 'x', sizeof(text) - 1));
    struct finding f;

    (void)state;
    assert_int_equal(finding_next(&g, clock_mono_ms() + PATIENCE_MS, &f), 1);
    assert_in_range(strlen(f.text), FINDING_TEXT_MAX / 2, FINDING_TEXT_MAX - 1);
    assert_int_equal(strlen(f.name), FINDING_NAME_MAX - 1);
    ends(&g);
}

static void hang(const struct findings *f, const void *ctx)
{
    (void)ctx;
    finding_ok(f, "dns", "found");
    finding_step(f, "tcp", "10.0.0.1");
    for (;;)
        pause();
}

static void a_check_that_hangs_is_ended_and_fails(void **state)
{
    struct finding_group g = begin(hang, NULL);
    struct finding f;

    (void)state;
    next_is(&g, FINDING_OK, "dns", "found");
    assert_int_equal(finding_next(&g, clock_mono_ms() + 200, &f), 1);
    assert_int_equal(f.result, FINDING_FAIL);
    assert_string_equal(f.name, "tcp");
    assert_string_equal(f.text, "10.0.0.1: no answer in time (--timeout)");
    ends(&g);
}

static void crash(const struct findings *f, const void *ctx)
{
    (void)ctx;
    finding_step(f, "inotify", "limits");
    kill(getpid(), SIGKILL);
}

static void a_check_that_crashes_fails(void **state)
{
    struct finding_group g = begin(crash, NULL);

    (void)state;
    next_is(&g, FINDING_FAIL, "inotify", "limits: the check itself has failed");
    ends(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_come_in_order),         cmocka_unit_test(foreign_bytes_cannot_reach_a_terminal),
        cmocka_unit_test(a_text_that_is_too_long_is_cut), cmocka_unit_test(a_check_that_hangs_is_ended_and_fails),
        cmocka_unit_test(a_check_that_crashes_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
