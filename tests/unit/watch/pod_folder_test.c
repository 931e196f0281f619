/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders of emptyDirs, and of a process's root, are opened without leaving them, and what does not exist yet has a
 * name.
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
#include <unistd.h>

#include "linux/proc.h"
#include "watch/pod_folder.h"

#include "scratch.h"

static const struct claim_pod POD = {(char *)"shop", (char *)"cart-1", (char *)"0-1-2", NULL};
#define VOLUME "kubelet/pods/0-1-2/volumes/kubernetes.io~empty-dir/data"

static int open_volume(const char *path, struct pod_folder **ret)
{
    char kubelet[sizeof(scratch_root) + 16];

    snprintf(kubelet, sizeof(kubelet), "%s/kubelet", scratch_root);
    return pod_folder_of_volume(kubelet, &POD, "data", path, ret);
}

/* Whether it is the folder at this path of the scratch folder. */
static void assert_is(const struct pod_folder *p, const char *path)
{
    CLEANUP_FD int fd = pod_folder_open(p);
    struct stat a, b;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &a), 0);
    assert_int_equal(fstatat(scratch_fd, path, &b, 0), 0);
    assert_int_equal(a.st_ino, b.st_ino);
}

static void what_exists_is_opened_and_what_is_missing_has_a_name(void **state)
{
    CLEANUP(pod_folder_free_ptr) struct pod_folder *all = NULL, *deep = NULL, *missing = NULL, *none = NULL;

    (void)state;
    assert_int_equal(open_volume("", &none), -ENOENT);
    assert_int_equal(file_mkdirs(scratch_fd, VOLUME "/a/b", 0755), 0);
    assert_int_equal(open_volume("", &all), 0);
    assert_is(all, VOLUME);
    assert_null(all->below);
    assert_int_equal(open_volume("a/b", &deep), 0);
    assert_is(deep, VOLUME "/a/b");
    assert_int_equal(open_volume("a/x/y", &missing), 0);
    assert_is(missing, VOLUME "/a");
    assert_string_equal(missing->below, "x");
    assert_int_equal(missing->fd, -1); /* nothing stays open */
    scratch_put(VOLUME, "file", "");
    assert_int_equal(open_volume("file", &none), -ENOTDIR);
    assert_null(none);
    assert_string_equal(all->pod.uid, "0-1-2");
}

static void links_lead_nowhere_but_into_the_volume(void **state)
{
    CLEANUP(pod_folder_free_ptr) struct pod_folder *up = NULL, *absolute = NULL, *later = NULL;
    CLEANUP_FD int volume = -1;

    (void)state;
    assert_int_equal(file_mkdirs(scratch_fd, VOLUME "/etc", 0755), 0);
    assert_true((volume = openat(scratch_fd, VOLUME, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
    assert_int_equal(symlinkat("../../../../../..", volume, "up"), 0);
    assert_int_equal(symlinkat("/etc", volume, "absolute"), 0);
    assert_int_equal(open_volume("up", &up), 0);
    assert_is(up, VOLUME);
    assert_int_equal(open_volume("absolute", &absolute), 0);
    assert_is(absolute, VOLUME "/etc");
    /* Also one that takes the folder's place later. */
    assert_int_equal(open_volume("etc", &later), 0);
    assert_int_equal(unlinkat(volume, "etc", AT_REMOVEDIR), 0);
    assert_int_equal(symlinkat("/proc/self", volume, "etc"), 0);
    assert_int_equal(pod_folder_open(later), -ENOENT);
    /* The volume's own folder is the kubelet's: a link in its place is none. */
    assert_int_equal(renameat(scratch_fd, VOLUME, scratch_fd, VOLUME "2"), 0);
    assert_int_equal(symlinkat("data2", scratch_fd, VOLUME), 0);
    assert_int_equal(pod_folder_open(absolute), -ENOTDIR);
}

/* Ours: its /proc is mounted. */
static void nothing_that_is_mounted_in_a_container_is_entered(void **state)
{
    CLEANUP(pod_folder_free_ptr) struct pod_folder *p = NULL;
    CLEANUP(proc_done) struct proc self = PROC_NONE;
    const struct claim_pod pod = {POD.namespace, POD.pod, POD.uid, (char *)"app"};

    (void)state;
    assert_int_equal(proc_open("/proc", getpid(), &self), 0);
    assert_int_equal(pod_folder_of_process(&self, &pod, "proc", &p), -EXDEV);
    assert_null(p);
    assert_int_equal(pod_folder_of_process(&self, &pod, "no/such/folder", &p), 0);
    assert_string_equal(p->below, "no");
    assert_true(p->fd >= 0);
    assert_string_equal(p->pod.container, "app");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_exists_is_opened_and_what_is_missing_has_a_name, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(links_lead_nowhere_but_into_the_volume, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(nothing_that_is_mounted_in_a_container_is_entered, scratch_set_up,
                                        scratch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
