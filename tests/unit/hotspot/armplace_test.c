/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of dumps, told from processes made up here, and folders, told from our own process. Other users and other
 * mounts are the whole-program tests'.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/text.h"
#include "hotspot/armplace.h"
#include "linux/access_as.h"
#include "scratch.h"

/* A JVM in a container: its /proc folder and its root lie in the scratch folder. */
static void make_jvm(struct jvm *ret)
{
    scratch_put("7", "status", "x\n");
    scratch_put("root/etc", "hostname", "web.example\n");
    scratch_put("root/dumps", "x", "");
    if (faccessat(scratch_fd, "7/root", F_OK, 0) < 0)
        assert_int_equal(symlinkat("../root", scratch_fd, "7/root"), 0);
    assert_int_equal(proc_open(scratch_root, 7, &ret->proc), 0);
    ret->status.inner_pid = 1;
    ret->started_ns = INT64_C(1795226165120000000);
}

static void assert_name(const struct jvm *j, bool gzip, const char *expected)
{
    CLEANUP_FREE char *name = armplace_name(j, gzip);
    CLEANUP_FREE char *path = NULL;

    assert_string_equal(name, expected);
    assert_true(asprintf(&path, "/any where/%s", name) > 0);
    assert_true(armplace_is_ours(j, path));
}

static void a_dump_has_the_name_of_its_pod_task_or_host(void **state)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    char longest[256];

    (void)state;
    make_jvm(&j);
    assert_name(&j, false, "jvm-1-20261121T015605.12Z.hprof"); /* no environment: it is ending */
    scratch_put("7", "environ", "A=b");
    assert_name(&j, true, "web.example-1-20261121T015605.12Z.hprof.gz");
    scratch_put("7", "cgroup", "0::/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
    assert_name(&j, false, "web.example-1-20261121T015605.12Z.hprof");
    scratch_put("7", "cgroup", "0::/ecs/cd189a933e5849daa93386466019ab50-2495160603\n");
    assert_name(&j, false, "cd189a933e5849daa93386466019ab50-1-20261121T015605.12Z.hprof");
    scratch_put("7", "environ", "POD_NAME=-../we b%p-x-0");
    assert_name(&j, false, "_.._we_b_p-x-0-1-20261121T015605.12Z.hprof");
    snprintf(longest, sizeof(longest), "POD_NAME=%0200d-tail-0", 0);
    scratch_put("7", "environ", longest);
    CLEANUP_FREE char *name = armplace_name(&j, true);
    assert_true(strlen(name) == 100 + strlen("-1-20261121T015605.12Z.hprof.gz") && strstr(name, "00-tail-0-1-2026"));
}

static void the_host_name_may_be_known_by_the_environment_alone(void **state)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;

    (void)state;
    make_jvm(&j);
    assert_int_equal(unlinkat(scratch_fd, "root/etc/hostname", 0), 0);
    assert_int_equal(mkfifoat(scratch_fd, "root/etc/hostname", 0600), 0); /* of a container that means no good */
    scratch_put("7", "environ", "HOSTNAME=db-0");
    assert_name(&j, false, "db-0-1-20261121T015605.12Z.hprof");
}

static void names_of_others_are_not_ours(void **state)
{
    static const char *const others[] = {
        "/d/java_pid1.hprof",
        "/d/x-1-20261121T015605.12Z.hprof/",
        "/d/x-12-20261121T015605.12Z.hprof",
        "/d/-1-20261121T015605.12Z.hprof",
        "/d/x-1-20261121T015605.12Z.hprof.1",
        "/d/x-1-2026112",
        "x-1-20261121T015605.12Z",
        "",
    };
    struct jvm j = {.status.inner_pid = 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(armplace_is_ours(&j, others[i]));
    assert_true(armplace_is_ours(&j, "x-1-1-20261121T015605.12Z.hprof"));
}

static void a_folder_that_no_jvm_could_be_told(void **state)
{
    char path[2000];
    struct err e;

    (void)state;
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(armplace_check(path, &e), -FAULT_USAGE);
    path[800] = '\0';
    assert_int_equal(armplace_check(path, &e), 0);
    assert_int_equal(armplace_check("/a b/'\"/é", &e), 0);
    assert_int_equal(armplace_check("dumps", &e), -FAULT_USAGE);
    assert_int_equal(armplace_check("", &e), -FAULT_USAGE);
    assert_int_equal(armplace_check("/a%p", &e), -FAULT_USAGE);
    assert_int_equal(armplace_check("/a\nb", &e), -FAULT_USAGE);
}

static void a_folder_of_ours_is_found_in_who_sees_it(void **state)
{
    CLEANUP(jvm_done) struct jvm j = JVM_NONE;
    CLEANUP_FREE char *found = NULL;
    CLEANUP_FREE char *given = NULL;
    struct armplace_folder *folder = NULL;
    struct armplace place = {.folders = &folder, .folder_count = 1};
    struct err e = {0};

    (void)state;
    scratch_put("dumps", "x", "");
    assert_int_equal(chdir(scratch_root), 0);
    assert_int_equal(armplace_folder_new("./dumps/../dumps", &folder, &e), 0);
    assert_int_equal(armplace_folder_new("dumps/x", &folder, &e), -FAULT_FOLDER);
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(proc_open("/proc", getpid(), &j.proc), 0);
    assert_int_equal(armplace_find(&place, &j, &found, &e), 0);
    assert_true(found[0] == '/' && text_ends(found, "/dumps"));
    place = (struct armplace){.dir = "///"};
    assert_int_equal(armplace_find(&place, &j, &given, &e), geteuid() == 0 ? 0 : -EACCES);
    if (given)
        assert_string_equal(given, "/");
    armplace_folder_free(folder);
}

static void who_may_write_where(void **state)
{
    CLEANUP(proc_done) struct proc self = PROC_NONE;
    CLEANUP_FREE char *root = realpath(scratch_root, NULL);
    char path[4200];

    (void)state;
    scratch_put("a", "file", "");
    assert_int_equal(proc_open("/proc", getpid(), &self), 0);
    assert_int_equal(access_as_may_write(&self, root), 0);
    snprintf(path, sizeof(path), "%s/none", root);
    assert_int_equal(access_as_may_write(&self, path), -ENOENT);
    snprintf(path, sizeof(path), "%s/a/file", root);
    assert_int_equal(access_as_may_write(&self, path), -ENOTDIR);
    assert_int_not_equal(access_as_may_write(&self, "/proc/sys"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_dump_has_the_name_of_its_pod_task_or_host, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(the_host_name_may_be_known_by_the_environment_alone, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test(names_of_others_are_not_ours),
        cmocka_unit_test(a_folder_that_no_jvm_could_be_told),
        cmocka_unit_test_setup_teardown(a_folder_of_ours_is_found_in_who_sees_it, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(who_may_write_where, scratch_set_up, scratch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
