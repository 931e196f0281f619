/* SPDX-License-Identifier: Apache-2.0
 *
 * Container ids by what runtimes leave in cgroup and mountinfo; and paths that only look like theirs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "place/containerid.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define TASK "cd189a933e5849daa93386466019ab50"
#define POD "kubepods-burstable-pod6f1c2a3b_0000_1111_2222_333344445555.slice"

struct example {
    const char *text, *id; /* NULL: none */
};

static void check(bool (*find)(const char *, size_t, char[CONTAINERID_MAX]), const struct example *e)
{
    char id[CONTAINERID_MAX] = "untouched";
    bool found = find(e->text, strlen(e->text), id);

    if (found != (e->id != NULL) || strcmp(id, e->id ? e->id : "untouched") != 0)
        fail_msg("%s: %s", e->text, id);
}

static void cgroup_paths_of_the_runtimes(void **state)
{
    static const struct example examples[] = {
        {"12:memory:/docker/" A "\n11:cpu:/docker/" A "\n", A},
        {"0::/system.slice/docker-" A ".scope\n", A},
        {"0::/docker/" A, A}, /* without a line's end */
        {"9:cpuset:/\n4:memory:/kubepods/burstable/pod6f1c2a3b-0000-1111-2222-333344445555/" A "\n", A},
        {"0::/kubepods.slice/kubepods-burstable.slice/" POD "/cri-containerd-" A ".scope\n", A},
        {"1:name=systemd:/kubepods.slice/" POD "/crio-" A ".scope\n", A},
        {"0::/system.slice/containerd.service/kubepods-burstable-pod6f1c.slice:cri-containerd:" A "\n", A},
        {"0::/machine.slice/libpod-" A ".scope/container\n", A},
        {"0::/machine.slice/libpod-" A ".scope\n", A},
        {"4:memory:/ecs/" TASK "/" A "\n", A},
        {"4:memory:/ecs/" TASK "/" TASK "-2495160603\n", TASK "-2495160603"},
        {"0::/docker/" A "/kubelet/kubepods/pod1/" B "\n", B}, /* the innermost */
        {"3:cpu:/\n0::/../../docker/" A "\n", A},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
        check(containerid_from_cgroup, &examples[i]);
}

static void cgroup_paths_of_no_container(void **state)
{
    static const struct example examples[] = {
        {"", NULL},
        {"\n\n", NULL},
        {"0::/\n", NULL},
        {"0::/user.slice/user-1000.slice/session-2.scope\n", NULL},
        {"0::/system.slice/docker.service\n", NULL},
        {"no colons at all /docker/" A "\n", NULL},
        {"1:/docker/" A "\n", NULL},
        {"4:memory:/process/" TASK "\n", NULL},
        {"4:memory:/ecs/" TASK "-12345\n", NULL},
        {"4:memory:/ecs/" TASK "-\n", NULL},
        {"4:memory:/ecs/" TASK "-123456789012345678901\n", NULL},
        {"4:memory:/ecs/" TASK "-12345678x\n", NULL},
        {"0::/docker/" A "0\n", NULL},
        {"0::/docker/x" A "\n", NULL},
        {"0::/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
        check(containerid_from_cgroup, &examples[i]);
}

static void mounts_of_the_runtimes(void **state)
{
    static const struct example examples[] = {
        {"720 718 0:58 / / rw - overlay overlay rw\n"
         "736 720 8:1 /var/lib/docker/containers/" A "/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw\n"
         "737 720 8:1 /var/lib/docker/containers/" A "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n",
         A},
        {"737 720 8:1 /docker/containers/" A "/hostname /etc/hostname rw - xfs /dev/sdb rw\n",
         A}, /* a disk of its own */
        {"801 790 0:25 /containers/storage/overlay-containers/" A
         "/userdata/.containerenv /run/.containerenv rw - tmpfs "
         "tmpfs rw\n",
         A},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
        check(containerid_from_mountinfo, &examples[i]);
}

static void mounts_of_another_container_or_none(void **state)
{
    static const struct example examples[] = {
        {"", NULL},
        {"737 720 8:1\n", NULL},
        {"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", NULL},
        /* the pod's sandbox */
        {"737 720 8:1 /var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/" A
         "/hostname /etc/hostname rw - ext4 x rw\n",
         NULL},
        {"737 720 0:25 /containers/storage/overlay-containers/" A
         "/userdata/hostname /etc/hostname rw - tmpfs tmpfs rw\n",
         NULL},
        /* a folder of Docker's, mounted into an agent */
        {"737 720 8:1 /var/lib/docker/containers/" A " /logs ro - ext4 /dev/sda1 rw\n", NULL},
        {"737 720 8:1 /var/lib/docker/containers/short/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
        check(containerid_from_mountinfo, &examples[i]);
}

static void check_pod(const char *path, const char *uid)
{
    char found[PODUID_MAX] = "untouched";

    if (containerid_pod_from_path(path, found) != (uid != NULL) || strcmp(found, uid ? uid : "untouched") != 0)
        fail_msg("%s: %s", path, found);
}

static void pods_in_paths(void **state)
{
    static const char UID[] = "6f1c2a3b-0000-1111-2222-333344445555";

    (void)state;
    check_pod("/kubepods/burstable/pod6f1c2a3b-0000-1111-2222-333344445555/" A, UID);
    check_pod("/kubepods/pod6f1c2a3b-0000-1111-2222-333344445555", UID);
    check_pod("/kubepods.slice/kubepods-burstable.slice/" POD "/cri-containerd-" A ".scope", UID);
    check_pod("/kubelet.slice/kubelet-kubepods.slice/kubelet-" POD "/x", UID);
    check_pod("/kubepods/burstable/pod" TASK "/" A, TASK); /* a static pod's is a digest */
    check_pod("/kubepods.slice/kubepods-pod" TASK ".slice", TASK);
    check_pod("/system.slice/containerd.service/" POD ":cri-containerd:" A, UID); /* systemd's, made by the runtime */
    check_pod("/../pod6f1c2a3b-0000-1111-2222-333344445555/" A, UID);             /* from within a cgroup namespace */
    check_pod("/pods/burstable/pod6f1c2a3b-0000-1111-2222-333344445555/" A, UID); /* --cgroup-root */
}

static void a_pod_by_its_cgroups(void **state)
{
    static const char lines[] = "2:cpu:/\n4:memory:/kubepods/burstable/pod6f1c2a3b-0000-1111-2222-333344445555/" A "\n";
    char found[PODUID_MAX];

    (void)state;
    assert_true(containerid_pod_from_cgroup(lines, strlen(lines), found));
    assert_string_equal(found, "6f1c2a3b-0000-1111-2222-333344445555");
    assert_false(containerid_pod_from_cgroup("0::/\n", 5, found));
}

static void paths_without_a_pod(void **state)
{
    (void)state;
    check_pod("/docker/" A, NULL);
    check_pod("/pod6f1c2a3b-0000-1111-2222-333344445555/x", NULL);   /* not below the kubelet's */
    check_pod("/x/pod6f1c2a3b-0000-1111-2222-333344445555/x", NULL); /* with no container in it */
    check_pod("/kubepods/burstable/pod6f1c2a3b-0000-1111-2222-33334444555/x", NULL);
    check_pod("/kubepods/burstable/pod6f1c2a3b-0000-1111-2222-33334444555g/x", NULL);
    check_pod("/kubepods/burstable/xpod6f1c2a3b-0000-1111-2222-333344445555/x", NULL);
    check_pod("/kubepods/pod", NULL);
    check_pod("", NULL);
}

static void a_path_alone(void **state)
{
    char id[CONTAINERID_MAX] = "untouched";

    (void)state;
    assert_false(containerid_from_path("/a:b/c", id));
    assert_string_equal(id, "untouched");
    assert_true(containerid_from_path("/kubepods/burstable/pod" TASK "/" A "/inner", id));
    assert_string_equal(id, A);
}

#define UID "6f1c2a3b-0000-1111-2222-333344445555"
#define LOG "901 880 8:1 /var/lib/kubelet/pods/" UID

static void check_name(const char *mountinfo, const char *name)
{
    char found[CONTAINERNAME_MAX] = "untouched";

    if (containerid_name_from_mountinfo(mountinfo, strlen(mountinfo), UID, found) != (name != NULL) ||
        strcmp(found, name ? name : "untouched") != 0)
        fail_msg("%s: %s", mountinfo, found);
}

static void a_name_by_what_the_kubelet_mounts(void **state)
{
    (void)state;
    check_name("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" LOG "/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n" LOG
               "/containers/app/0a1b2c3d /dev/termination-log rw - ext4 /dev/sda1 rw\n",
               "app");
    /* a disk of its own, another place in the container */
    check_name("9 8 8:17 /pods/" UID "/containers/side-car-2/00000000 /run/last rw - xfs /dev/sdb1 rw\n", "side-car-2");
}

static void names_of_others_or_none(void **state)
{
    (void)state;
    check_name("", NULL);
    check_name(LOG "/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n", NULL);
    check_name(LOG "/containers /all rw - ext4 /dev/sda1 rw\n", NULL);
    check_name(LOG "/containers/app /all rw - ext4 /dev/sda1 rw\n", NULL);
    check_name(LOG "/containers/app/0/more /all rw - ext4 /dev/sda1 rw\n", NULL);
    check_name(LOG "/containers/a\\040b/0 /x rw - ext4 /dev/sda1 rw\n", NULL);
    check_name(LOG "/containers/../0 /x rw - ext4 /dev/sda1 rw\n", NULL);
    check_name(LOG "/containers/0123456789012345678901234567890123456789012345678901234567890123/0 /x rw - ext4 d rw\n",
               NULL);
    /* another pod's */
    check_name("9 8 8:1 /kubelet/pods/7f1c2a3b-0000-1111-2222-333344445555/containers/app/0 /x rw - ext4 d rw\n", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cgroup_paths_of_the_runtimes),
        cmocka_unit_test(cgroup_paths_of_no_container),
        cmocka_unit_test(mounts_of_the_runtimes),
        cmocka_unit_test(mounts_of_another_container_or_none),
        cmocka_unit_test(pods_in_paths),
        cmocka_unit_test(a_pod_by_its_cgroups),
        cmocka_unit_test(paths_without_a_pod),
        cmocka_unit_test(a_path_alone),
        cmocka_unit_test(a_name_by_what_the_kubelet_mounts),
        cmocka_unit_test(names_of_others_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
