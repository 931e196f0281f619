/* SPDX-License-Identifier: Apache-2.0
 *
 * Of this very process, and of cgroups made up of files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "guard/memstats.h"
#include "scratch.h"

static json_t *assembly(int cgroup)
{
    CLEANUP(proc_done) struct proc self = PROC_NONE;
    CLEANUP(buf_done) struct buf text = {0};
    struct err e;
    json_t *root;

    assert_int_equal(proc_open("/proc", getpid(), &self), 0);
    assert_int_equal(memstats_read("/proc", &self, cgroup, &text, &e), 0);
    root = json_loadb(text.data, text.size, 0, NULL);
    assert_non_null(root);
    return root;
}

static json_int_t number(const json_t *root, const char *a, const char *b, const char *c)
{
    const json_t *found = json_object_get(json_object_get(root, a), b);

    found = c ? json_object_get(found, c) : found;
    assert_true(json_is_integer(found));
    return json_integer_value(found);
}

static void a_process_tells_of_its_memory(void **state)
{
    json_t *root = assembly(-1);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(root, "schema")), "salvage.memstats/1");
    assert_int_equal(number(root, "process", "pid", NULL), getpid());
    assert_true(number(root, "process", "memory", "VmRSS") > 4096); /* bytes */
    assert_true(number(root, "process", "smaps_rollup", "Rss") > 4096);
    assert_null(json_object_get(root, "cgroup"));
    json_decref(root);
}

static void a_cgroup_is_told_of_in_either_version(void **state)
{
    char processes[32];
    json_t *root;

    (void)state;
    snprintf(processes, sizeof(processes), "%d\n1\n99999999\n", (int)getpid());
    scratch_put("v1", "memory.limit_in_bytes", "67108864\n");
    scratch_put("v1", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
    scratch_put("v1", "memory.stat", "cache 12\nrss 34\n");
    scratch_put("v1", "cgroup.procs", processes);
    scratch_put("v2", "memory.max", "max\n");
    scratch_put("v2", "memory.pressure", "some avg10=0.00\nfull\033[2J avg10=1\n");
    CLEANUP_FD int v1 = openat(scratch_fd, "v1", O_PATH | O_CLOEXEC), v2 = openat(scratch_fd, "v2", O_PATH | O_CLOEXEC);

    root = assembly(v1);
    assert_int_equal(number(root, "cgroup", "limit", NULL), 67108864);
    assert_int_equal(number(root, "cgroup", "oom_control", "oom_kill"), 3);
    assert_int_equal(number(root, "cgroup", "stat", "rss"), 34);
    assert_int_equal(json_array_size(json_object_get(root, "processes")), 2);
    assert_int_equal(json_integer_value(json_object_get(root, "processes_total")), 3);
    json_decref(root);
    root = assembly(v2);
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "cgroup"), "limit")), "max");
    assert_int_equal(json_array_size(json_object_get(json_object_get(root, "cgroup"), "pressure")), 2);
    json_decref(root);
}

static void what_is_no_list_of_numbers_does_no_harm(void **state)
{
    json_t *root;

    (void)state;
    scratch_put("v1", "memory.stat", "\n\n :\ncache\nrss -1\nx 99999999999999999999\n\xff\xfe 3\n  4 5\n");
    scratch_put("v1", "cgroup.procs", "x\n-5\n\n\n0\n");
    CLEANUP_FD int v1 = openat(scratch_fd, "v1", O_PATH | O_CLOEXEC);

    root = assembly(v1);
    assert_int_equal(json_array_size(json_object_get(root, "processes")), 0);
    json_decref(root);
}

static void a_cgroup_is_told_of_without_its_process(void **state)
{
    static const struct proc gone = {.fd = -1, .pid = 7};
    CLEANUP(buf_done) struct buf text = {0};

    (void)state;
    scratch_put("cg", "memory.stat", "anon 42\n");
    scratch_put("cg", "memory.peak", "77\n");
    {
        CLEANUP_FD int cgroup = openat(scratch_fd, "cg", O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(memstats_read("/proc", &gone, cgroup, &text, NULL), 0);
    }
    assert_non_null(strstr(buf_text(&text), "\"anon\": 42"));
    assert_non_null(strstr(buf_text(&text), "\"peak\": 77"));
    assert_non_null(strstr(buf_text(&text), "\"process_ended\": 7"));
}

static void a_process_that_is_gone_is_told(void **state)
{
    struct proc gone = {.fd = scratch_fd, .pid = 4711};
    CLEANUP(buf_done) struct buf text = {0};
    struct err e;

    (void)state;
    assert_int_equal(memstats_read("/proc", &gone, -1, &text, &e), -ESRCH);
    assert_int_equal(text.size, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_process_tells_of_its_memory),           TEST(a_cgroup_is_told_of_in_either_version),
        TEST(what_is_no_list_of_numbers_does_no_harm), TEST(a_cgroup_is_told_of_without_its_process),
        TEST(a_process_that_is_gone_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
