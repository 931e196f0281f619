/* SPDX-License-Identifier: Apache-2.0
 *
 * Who we are, told from environments and roots made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "linux/proc.h"
#include "place/whoami.h"
#include "scratch.h"

static void put_namespace(const char *text)
{
    scratch_put("var/run/secrets/kubernetes.io/serviceaccount", "namespace", text);
}

static void a_plain_host_has_its_name_for_place(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    scratch_put("etc", "hostname", "db-1\n");
    assert_int_equal(whoami_get(scratch_root, &w, NULL), 0);
    assert_string_equal(w.host, "db-1");
    assert_string_equal(w.place, "host/db-1");
    assert_string_equal(w.machine, "db-1");
    assert_null(w.namespace);
    assert_null(w.pod);
    assert_null(w.pod_uid);
    assert_null(w.node);
    assert_null(w.container);
    assert_null(w.image);
}

static void a_pod_is_told_by_the_downward_api(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    setenv("POD_NAMESPACE", "shop", 1);
    setenv("POD_NAME", "cart-7f", 1);
    setenv("POD_UID", "6f1c", 1);
    setenv("NODE_NAME", "node-3", 1);
    setenv("CONTAINER_NAME", "app", 1);
    setenv("CONTAINER_IMAGE", "registry.example/cart:1.2", 1);
    put_namespace("other");
    assert_int_equal(whoami_get(scratch_root, &w, NULL), 0);
    assert_string_equal(w.namespace, "shop");
    assert_string_equal(w.pod, "cart-7f");
    assert_string_equal(w.pod_uid, "6f1c");
    assert_string_equal(w.node, "node-3");
    assert_string_equal(w.container, "app");
    assert_string_equal(w.image, "registry.example/cart:1.2");
    assert_string_equal(w.place, "shop/cart-7f");
    assert_string_equal(w.machine, "node-3");
}

static void our_own_variables_win_and_empty_ones_do_not_count(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    setenv("POD_NAMESPACE", "shop", 1);
    setenv("SALVAGE_POD_NAMESPACE", "bank", 1);
    setenv("POD_NAME", "cart", 1);
    setenv("SALVAGE_POD_NAME", "", 1);
    setenv("NODE_NAME", "", 1);
    assert_int_equal(whoami_get(scratch_root, &w, NULL), 0);
    assert_string_equal(w.place, "bank/cart");
    assert_null(w.node);
}

static void the_service_account_tells_the_namespace(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    put_namespace("shop");
    scratch_put("etc", "hostname", "cart-7f\n");
    assert_int_equal(whoami_get(scratch_root, &w, NULL), 0);
    assert_string_equal(w.namespace, "shop");
    assert_null(w.pod); /* the host's name may be the node's */
    assert_string_equal(w.place, "shop/cart-7f");
}

static void a_pod_without_namespace_is_a_host(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    setenv("POD_NAME", "cart", 1);
    scratch_put("etc", "hostname", "cart\n");
    put_namespace(" \n");
    assert_int_equal(whoami_get(scratch_root, &w, NULL), 0);
    assert_null(w.namespace);
    assert_string_equal(w.place, "host/cart");
}

/* Images have one, an empty one or none: two containers of a pod must come to the same id of a file. */
static void a_machine_id_makes_no_difference(void **state)
{
    static const char *const IDS[] = {"", "uninitialized\n", "0123456789abcdef0123456789abcdef\n"};

    (void)state;
    scratch_put("etc", "hostname", "db-1\n");
    for (size_t i = 0; i < ARRAY_SIZE(IDS); i++) {
        CLEANUP(whoami_done) struct whoami w = {0};
        scratch_put("etc", "machine-id", IDS[i]);
        assert_int_equal(whoami_get(scratch_root, &w, NULL), 0);
        assert_string_equal(w.machine, "db-1");
    }
}

static void a_file_that_cannot_be_read_just_now_is_no_answer(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};
    struct rlimit before, none;
    struct err e = {0};
    int r;

    (void)state;
    put_namespace("shop");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    r = whoami_get(scratch_root, &w, &e);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(r, -EMFILE);
    assert_non_null(strstr(e.msg, "cannot find out in which pod or host this is"));
    assert_null(w.place);
}

static void an_empty_root_still_has_host_place_and_machine(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    assert_int_equal(whoami_get("whoami_test.is-not-there", &w, NULL), 0);
    assert_string_equal(w.host, "localhost");
    assert_string_equal(w.place, "host/localhost");
    assert_string_equal(w.machine, "localhost");
}

static void hostile_values_stay_in_their_segment(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    setenv("POD_NAMESPACE", "..", 1);
    setenv("POD_NAME", "../../etc", 1);
    setenv("NODE_NAME", "a\nb", 1);
    assert_int_equal(whoami_get(scratch_root, &w, NULL), 0);
    assert_string_equal(w.place, "_./_._.._etc");
    assert_null(w.node);
}

static void a_file_without_end_is_no_fact(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};
    char text[8192];

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    put_namespace(text);
    assert_int_equal(whoami_get(scratch_root, &w, NULL), 0);
    assert_null(w.namespace);
}

static void the_real_root_asks_the_kernel_for_the_host(void **state)
{
    CLEANUP(whoami_done) struct whoami w = {0};
    struct utsname u;

    (void)state;
    assert_int_equal(uname(&u), 0);
    assert_int_equal(whoami_get("/", &w, NULL), 0);
    assert_string_equal(w.host, u.nodename);
}

static void ec2_is_told_by_the_firmware(void **state)
{
    static const struct {
        const char *folder, *name, *text;
        bool ec2;
    } cases[] = {
        {"sys/class/dmi/id", "board_asset_tag", "i-0af01c0123456789a\n", true},
        {"sys/class/dmi/id", "board_asset_tag", "Not Specified\n", false},
        {"sys/class/dmi/id", "sys_vendor", "Amazon EC2\n", true},
        {"sys/class/dmi/id", "sys_vendor", "Amazon\n", false},
        {"sys/class/dmi/id", "sys_vendor", "QEMU\n", false},
        {"sys/class/dmi/id", "sys_vendor", "", false},
        {"sys/class/dmi/id", "product_uuid", "EC2E1916-9099-7CAF-FD21-012345ABCDEF\n", true},
        {"sys/class/dmi/id", "product_uuid", "45E12AEC-DCD1-B213-94ED-012345ABCDEF\n", false},
        {"sys/hypervisor", "uuid", "ec2e1916-9099-7caf-fd21-012345abcdef\n", true},
        {"sys/hypervisor", "uuid", "00000000-0000-0000-0000-000000000000\n", false},
    };

    (void)state;
    assert_false(whoami_on_ec2(scratch_root));
    assert_false(whoami_on_ec2("whoami_test.is-not-there"));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        scratch_put(cases[i].folder, cases[i].name, cases[i].text);
        if (whoami_on_ec2(scratch_root) != cases[i].ec2)
            fail_msg("%s: %s", cases[i].name, cases[i].text);
        assert_int_equal(file_remove_tree(scratch_fd, "sys"), 0);
    }
}

static void another_pod_of_this_machine_has_its_own_names_and_our_node(void **state)
{
    const struct whoami self = {.namespace = "agents",
                                .pod = "agent-1",
                                .node = "node-3",
                                .host = "agent-1",
                                .machine = "node-3",
                                .image = "agent"};
    const struct whoami names = {
        .namespace = "shop", .pod = "../cart", .pod_uid = "6f1c", .node = "forged", .image = ""};
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    assert_int_equal(whoami_for(&self, &names, &w), 0);
    assert_string_equal(w.place, "shop/_._cart");
    assert_string_equal(w.pod, "../cart");
    assert_string_equal(w.pod_uid, "6f1c");
    assert_string_equal(w.node, "node-3");
    assert_string_equal(w.host, "node-3");
    assert_string_equal(w.machine, "node-3");
    assert_null(w.image);
    assert_null(w.container);
}

static void another_container_without_a_pod_is_known_by_its_host_else_ours(void **state)
{
    const struct whoami self = {.host = "db-1", .machine = "db-1"}, nameless = {.container = "app"},
                        named = {.host = "0123456789ab", .pod = "no-namespace"};
    CLEANUP(whoami_done) struct whoami ours = {0}, its = {0};

    (void)state;
    assert_int_equal(whoami_for(&self, &nameless, &ours), 0);
    assert_string_equal(ours.place, "host/db-1");
    assert_string_equal(ours.container, "app");
    assert_int_equal(whoami_for(&self, &named, &its), 0);
    assert_string_equal(its.place, "host/0123456789ab");
    assert_string_equal(its.machine, "db-1");
}

/* A process in /proc of the scratch folder, with an environment. */
static int of_process(const char *environment, size_t size, struct whoami *ret)
{
    CLEANUP(proc_done) struct proc p = PROC_NONE;
    CLEANUP_FD int fd = -1;

    scratch_put("7/root/etc", "hostname", "cart-7f\n");
    scratch_put("7", "stat", "7 (java) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0\n");
    scratch_put("7", "environ", "");
    fd = openat(scratch_fd, "7/environ", O_WRONLY | O_CLOEXEC);
    assert_int_equal(file_write(fd, environment, size), 0);
    assert_int_equal(proc_open(scratch_root, 7, &p), 0);
    return whoami_of_process(&p, ret);
}

static void another_process_is_named_by_its_own_environment_and_files(void **state)
{
    static const char variables[] = "POD_NAMESPACE=shop\0SALVAGE_CONTAINER_NAME=app\0CONTAINER_NAME=x\0POD_UID=a\nb";
    CLEANUP(whoami_done) struct whoami w = {0};

    (void)state;
    setenv("POD_NAME", "ours", 1);
    assert_int_equal(of_process(variables, sizeof(variables), &w), 0);
    assert_string_equal(w.namespace, "shop");
    assert_string_equal(w.container, "app");
    assert_null(w.pod_uid);
    assert_string_equal(w.host, "cart-7f");
    assert_string_equal(w.pod, "cart-7f"); /* in a pod, the host name is the pod's */
    assert_string_equal(w.place, "shop/cart-7f");
    assert_null(w.machine);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_host_has_its_name_for_place),
        TEST(a_pod_is_told_by_the_downward_api),
        TEST(our_own_variables_win_and_empty_ones_do_not_count),
        TEST(the_service_account_tells_the_namespace),
        TEST(a_pod_without_namespace_is_a_host),
        TEST(a_machine_id_makes_no_difference),
        TEST(a_file_that_cannot_be_read_just_now_is_no_answer),
        TEST(an_empty_root_still_has_host_place_and_machine),
        TEST(hostile_values_stay_in_their_segment),
        TEST(a_file_without_end_is_no_fact),
        TEST(the_real_root_asks_the_kernel_for_the_host),
        TEST(another_pod_of_this_machine_has_its_own_names_and_our_node),
        TEST(another_container_without_a_pod_is_known_by_its_host_else_ours),
        TEST(another_process_is_named_by_its_own_environment_and_files),
        TEST(ec2_is_told_by_the_firmware),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
