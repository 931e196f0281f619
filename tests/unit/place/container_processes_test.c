/* SPDX-License-Identifier: Apache-2.0
 *
 * The oldest process of each container is found, and only in its own pod.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "../scratch.h"
#include "place/container_processes.h"

#define POD "0a1b2c3d-0000-4000-8000-00000000000"
#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void process(const char *pid, const char *cgroup, unsigned start)
{
    char stat[128];

    snprintf(stat, sizeof(stat), "%s (a) b) S 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 %u 1 1\n", pid, start);
    scratch_put(pid, "stat", stat);
    scratch_put(pid, "cgroup", cgroup);
}

static void the_oldest_process_of_a_container_is_found(void **state)
{
    CLEANUP(container_processes_done) struct container_processes c = {0};
    pid_t pid = 0;

    (void)state;
    process("20", "0::/kubepods/burstable/pod" POD "1/" A "\n", 500);
    process("7", "0::/kubepods/burstable/pod" POD "1/" A "\n", 900); /* executed in it later, with a pid used again */
    process("30", "0::/kubepods/burstable/pod" POD "1/" B "\n", 400);
    process("31", "0::/kubepods/burstable/pod" POD "2/" B "\n", 300); /* calls its cgroup as another pod's container */
    process("40", "0::/system.slice/cron.service\n", 100);
    scratch_put("self", "cgroup", "0::/kubepods/burstable/pod" POD "1/" A "\n");
    assert_int_equal(container_processes_read(scratch_root, &c), 0);
    assert_int_equal(c.count, 3);
    assert_int_equal(container_processes_find(&c, A, POD "1", &pid), 0);
    assert_int_equal(pid, 20);
    assert_int_equal(container_processes_find(&c, B, POD "1", &pid), 0);
    assert_int_equal(pid, 30);
    assert_int_equal(container_processes_find(&c, A, POD "2", &pid), -ESRCH);
}

static void without_a_proc_there_is_an_error(void **state)
{
    CLEANUP(container_processes_done) struct container_processes c = {0};

    (void)state;
    assert_int_equal(container_processes_read("no-such-folder", &c), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_oldest_process_of_a_container_is_found, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(without_a_proc_there_is_an_error, scratch_set_up, scratch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
