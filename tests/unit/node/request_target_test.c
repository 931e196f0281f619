/* SPDX-License-Identifier: Apache-2.0
 *
 * The pod and the process of a request, by a made up /proc, a folder of logs, and a table of pods.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/mem.h"
#include "node/request_target.h"
#include "scratch.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID "6f1c2a3b-0000-1111-2222-333344445555"
#define OTHER "7f1c2a3b-0000-1111-2222-333344445555"
#define JVM "7f0000000000-7f0000001000 r-xp 00000000 08:01 99 /usr/lib/jvm/lib/server/libjvm.so\n"

/* container "": the sandbox's own process. */
static void put(const char *pid, const char *uid, const char *container, const char *pages, const char *maps)
{
    char text[512];

    snprintf(text, sizeof(text), "4:memory:/kubepods/burstable/pod%s/" A "\n0::/\n", uid);
    scratch_put(pid, "cgroup", text);
    snprintf(text, sizeof(text),
             "40 30 8:1 /var/lib/kubelet/pods/%s/containers/%s/1a2b3c4d /dev/termination-log rw - ext4 /dev/sda rw\n",
             uid, container);
    scratch_put(pid, "mountinfo", *container ? text : "");
    snprintf(text, sizeof(text), "900 %s 0 0 0 0 0\n", pages);
    scratch_put(pid, "statm", text);
    scratch_put(pid, "maps", maps);
}

static int find(const char *container, enum capture_what what, struct request_process *ret, struct err *e)
{
    struct request_pod pod = {.uid = {UID}, .uids = 1};
    struct capture_order o = {.namespace = "shop", .pod = "cart-0", .what = what};

    snprintf(o.container, sizeof(o.container), "%s", container);
    return request_process_find(scratch_root, &pod, &o, ret, e);
}

static void the_only_jvm_of_the_pod_is_meant(void **state)
{
    struct request_process p;
    struct err e = {0};

    (void)state;
    put("10", OTHER, "app", "5", JVM);
    put("11", UID, "", "1", "");
    put("12", UID, "proxy", "900", "");
    put("13", UID, "app", "20", "");
    put("14", UID, "app", "70", JVM);
    for (unsigned what = 0; what < CAPTURE_WHATS; what++) {
        assert_int_equal(find("", (enum capture_what)what, &p, &e), 0);
        assert_int_equal(p.pid, 14);
        assert_string_equal(p.container, "app");
        assert_string_equal(p.uid, UID);
    }
    assert_int_equal(find("proxy", CAPTURE_CORE, &p, &e), 0);
    assert_int_equal(p.pid, 12);
    assert_int_equal(find("proxy", CAPTURE_THREADS, &p, &e), -ESRCH);
    assert_non_null(strstr(e.msg, "no JVM runs in the pod's container proxy; its containers with processes: "));
    assert_int_equal(find("db", CAPTURE_CORE, &p, &e), -ESRCH);
    assert_non_null(strstr(e.msg, "no process runs in the container db"));
}

static void where_several_could_be_meant_none_is_taken(void **state)
{
    struct request_process p;
    struct err e = {0};

    (void)state;
    put("12", UID, "one", "900", "");
    put("13", UID, "two", "20", "");
    assert_int_equal(find("", CAPTURE_CORE, &p, &e), -FAULT_USAGE);
    assert_non_null(strstr(e.msg, "name the container: "));
    put("14", UID, "two", "70", JVM);
    put("15", UID, "one", "70", JVM);
    assert_int_equal(find("", CAPTURE_HEAP_DUMP, &p, &e), -FAULT_USAGE);
    assert_string_equal(e.msg, "2 JVMs run in the pod: name the container");
    assert_int_equal(find("two", CAPTURE_HEAP_DUMP, &p, &e), 0);
    assert_int_equal(p.pid, 14);
    put("13", UID, "two", "20", JVM);
    assert_int_equal(find("two", CAPTURE_HEAP_DUMP, &p, &e), -FAULT_USAGE);
}

static void a_pod_without_processes_has_none(void **state)
{
    struct request_process p;
    struct err e = {0};

    (void)state;
    put("11", UID, "", "1", JVM);
    assert_int_equal(find("", CAPTURE_CORE, &p, &e), -ESRCH);
    assert_non_null(strstr(e.msg, "any more"));
}

static int find_pod(const struct request_places *places, const char *pod, struct request_pod *ret)
{
    struct capture_order o = {.namespace = "shop"};

    snprintf(o.pod, sizeof(o.pod), "%s", pod);
    return request_pod_find(places, &o, ret);
}

static void the_kubelets_folder_has_the_pods_of_the_node(void **state)
{
    const struct request_places places = {.pod_logs = scratch_root};
    struct request_pod pod = {0};

    (void)state;
    scratch_put("shop_cart-0_" UID, "x", "");
    scratch_put("shop_cart-0_" OTHER, "x", "");
    scratch_put("shop_cart-01_" OTHER, "x", "");
    assert_int_equal(find_pod(&places, "cart-1", &pod), 0);
    assert_int_equal(pod.uids, 0);
    assert_int_equal(find_pod(&places, "cart-0", &pod), 1);
    assert_int_equal(pod.uids, 2);
    assert_false(pod.has_rule);
}

static void the_table_says_the_rule(void **state)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(pod_table_free_ptr) struct pod_table *table = NULL;
    struct pod_row row = {.uid = UID, .namespace = "shop", .name = "cart-0", .rule = "shop"};
    struct request_places places = {.pod_logs = scratch_root};
    struct request_pod pod = {0};
    char path[64];

    (void)state;
    assert_int_equal(buf_add_text(&text, POD_TABLE_HEAD), 0);
    assert_int_equal(pod_row_encode(&row, &text), 0);
    scratch_put("run", "pods.json", buf_text(&text));
    scratch_put("shop_cart-1_" OTHER, "x", "");
    snprintf(path, sizeof(path), "%s/run/pods.json", scratch_root);
    assert_int_equal(pod_table_open(path, &table), 0);
    places.table = table;
    assert_int_equal(find_pod(&places, "cart-0", &pod), 1);
    assert_true(pod.has_rule);
    assert_string_equal(pod.rule, "shop");
    assert_string_equal(pod.uid[0], UID);
    assert_int_equal(find_pod(&places, "cart-1", &pod), 1); /* not in the table yet */
    assert_false(pod.has_rule);
    assert_int_equal(find_pod(&places, "cart-2", &pod), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_only_jvm_of_the_pod_is_meant), TEST(where_several_could_be_meant_none_is_taken),
        TEST(a_pod_without_processes_has_none), TEST(the_kubelets_folder_has_the_pods_of_the_node),
        TEST(the_table_says_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
