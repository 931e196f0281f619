/* SPDX-License-Identifier: Apache-2.0
 *
 * The namespace of a pod, by the folder of its logs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "place/pod_logs.h"

static void make(const char *root, const char *name)
{
    CLEANUP_FREE char *path = NULL;

    assert_true(asprintf(&path, "%s/%s", root, name) > 0);
    assert_int_equal(file_mkdirs(AT_FDCWD, path, 0755), 0);
}

static void a_pods_namespace_is_found_by_its_uid(void **state)
{
    char root[] = "/tmp/pod_logs_XXXXXX", namespace[LAYOUT_NAME_MAX] = "untouched";

    (void)state;
    assert_non_null(mkdtemp(root));
    make(root, "shop_cart-7f9c_0a1b2c3d-0000-4000-8000-000000000001");
    make(root, "rest_cart-7f9c_0a1b2c3d-0000-4000-8000-000000000002");
    make(root, "kube-system_etcd-node_d41d8cd98f00b204e9800998ecf8427e");
    make(root, "_x_0a1b2c3d-0000-4000-8000-000000000003");
    make(root, "0a1b2c3d-0000-4000-8000-000000000003");
    assert_int_equal(pod_logs_namespace(root, "0a1b2c3d-0000-4000-8000-000000000003", namespace), -ENOENT);
    assert_int_equal(pod_logs_namespace("/nowhere", "0a1b2c3d-0000-4000-8000-000000000001", namespace), -ENOENT);
    assert_string_equal(namespace, "untouched");
    assert_int_equal(pod_logs_namespace(root, "0a1b2c3d-0000-4000-8000-000000000002", namespace), 0);
    assert_string_equal(namespace, "rest");
    assert_int_equal(pod_logs_namespace(root, "d41d8cd98f00b204e9800998ecf8427e", namespace), 0);
    assert_string_equal(namespace, "kube-system");
    assert_int_equal(file_remove_tree(AT_FDCWD, root), 0);
}

static void names_are_found_together(void **state)
{
    char root[] = "/tmp/pod_logs_XXXXXX";
    struct pod_logs_names names = {.pod = "untouched"};

    (void)state;
    assert_non_null(mkdtemp(root));
    make(root, "shop_cart-7f9c_0a1b2c3d-0000-4000-8000-000000000001");
    make(root, "shop__0a1b2c3d-0000-4000-8000-000000000002");
    assert_int_equal(pod_logs_names(root, "0a1b2c3d-0000-4000-8000-000000000002", &names), -ENOENT);
    assert_string_equal(names.pod, "untouched");
    assert_int_equal(pod_logs_names(root, "0a1b2c3d-0000-4000-8000-000000000001", &names), 0);
    assert_string_equal(names.namespace, "shop");
    assert_string_equal(names.pod, "cart-7f9c");
    assert_int_equal(file_remove_tree(AT_FDCWD, root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pods_namespace_is_found_by_its_uid),
        cmocka_unit_test(names_are_found_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
