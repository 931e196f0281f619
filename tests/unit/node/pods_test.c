/* SPDX-License-Identifier: Apache-2.0
 *
 * What several sources say of pods, as one set of rows with the rule that fits each; and components that select by it.
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
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/pod_log_source.h"
#include "node/pod_object.h"
#include "node/pod_rules.h"
#include "node/pod_set.h"
#include "place/pod_selection.h"
#include "place/pod_table.h"

static const char A[] = "0a1b2c3d-0000-4000-8000-000000000001", B[] = "0a1b2c3d-0000-4000-8000-000000000002";

static const char RULES[] = "destinations: {a: {url: 'file:///a'}}\n"
                            "rules:\n"
                            "- {name: paid, namespaces: 'shop*', labels: {tier: paid, app: '*'}, destination: a}\n"
                            "- {name: team, namespaces: '*', annotations: {team: x}, destination: a}\n"
                            "- {name: shop, namespaces: shop, destination: a}\n";

static struct config *rules_of(const char *text)
{
    struct config_errors errors = {0};
    struct config *c = NULL;

    assert_int_equal(config_read(text, strlen(text), &c, &errors), 0);
    return c;
}

/* labels: "tier=paid app=x"; NULL: they are not known. */
static struct pod_row row_of(const char *uid, const char *namespace, const char *labels)
{
    struct pod_row p = {.known = labels != NULL, .created_ns = clock_wall_ns()};
    char copy[128], *rest = copy;

    snprintf(p.uid, sizeof(p.uid), "%s", uid);
    snprintf(p.namespace, sizeof(p.namespace), "%s", namespace);
    snprintf(p.name, sizeof(p.name), "cart-0");
    snprintf(copy, sizeof(copy), "%s", labels ? labels : "");
    for (char *word; (word = strsep(&rest, " ")) && *word;)
        assert_int_equal(strv_add(strncmp(word, "team", 4) == 0 ? &p.annotations : &p.labels, word), 0);
    return p;
}

static int rule_for(const struct config *c, const char *namespace, const char *labels, bool wait)
{
    CLEANUP(pod_row_done) struct pod_row p = row_of(A, namespace, labels);

    return pod_rules_find(c, &p, wait);
}

static void the_first_rule_that_fits_counts(void **state)
{
    CLEANUP(config_free_ptr) struct config *c = rules_of(RULES);
    CLEANUP(strv_done) struct strv names = {0};

    (void)state;
    assert_int_equal(rule_for(c, "shop", "tier=paid app=", true), 0);
    assert_int_equal(rule_for(c, "shop", "tier=paid", true), 2);
    assert_int_equal(rule_for(c, "shop", "tier=free app=x team=x", true), 1);
    assert_int_equal(rule_for(c, "rest", "tier=paid app=x team=y", true), POD_RULE_NONE);
    assert_int_equal(rule_for(c, "shop", NULL, true), POD_RULE_PENDING);
    assert_int_equal(rule_for(c, "shop", NULL, false), 2);
    assert_int_equal(rule_for(c, "rest", NULL, false), POD_RULE_NONE);
    assert_int_equal(pod_rules_annotations(c, &names), 0);
    assert_int_equal(names.count, 1);
    assert_string_equal(names.item[0], "team");
}

static void from_logs(struct pod_set *s, const char *uid, const char *pod)
{
    struct pod_logs_names names = {.namespace = "shop"};

    snprintf(names.pod, sizeof(names.pod), "%s", pod);
    assert_int_equal(pod_set_from_logs(s, uid, &names, clock_wall_ns()), 0);
}

static void from_api(struct pod_set *s, const char *uid, const char *labels, bool gone)
{
    struct pod_row row = row_of(uid, "shop", labels);

    assert_int_equal(pod_set_from_api(s, &row, gone), 0);
}

static void a_pods_labels_are_waited_for(void **state)
{
    CLEANUP(config_free_ptr) struct config *c = rules_of(RULES);
    CLEANUP(pod_set_done) struct pod_set s = {.labels_expected = true};

    (void)state;
    from_logs(&s, A, "cart-0");
    assert_int_equal(pod_set_container(&s, A, "app", 2), 0);
    assert_true(pod_set_apply(&s, c) <= clock_mono_ms() + POD_LABELS_WAIT_MS);
    assert_true(s.item[0].row.pending && s.by_namespace == 0);
    s.item[0].first_ms -= POD_LABELS_WAIT_MS;
    assert_true(pod_set_apply(&s, c) == UINT64_MAX);
    assert_false(s.item[0].row.pending);
    assert_string_equal(s.item[0].row.rule, "shop");
    assert_int_equal(s.by_namespace, 1);

    from_api(&s, A, "tier=paid app=x", false);
    pod_set_apply(&s, c);
    assert_string_equal(s.item[0].row.rule, "paid");
    assert_int_equal(s.by_namespace, 0);
}

static void what_the_list_does_not_name_is_gone_and_stays_for_an_hour(void **state)
{
    CLEANUP(config_free_ptr) struct config *c = rules_of(RULES);
    CLEANUP(pod_set_done) struct pod_set s = {.labels_expected = true, .api_works = true};

    (void)state;
    from_api(&s, A, "tier=paid app=x", false);
    from_api(&s, B, "", false);
    pod_set_list_begins(&s);
    from_api(&s, B, "", false);
    pod_set_list_ends(&s);
    assert_true(pod_set_find(&s, A)->row.gone_ns > 0 && pod_set_find(&s, B)->row.gone_ns == 0);
    from_logs(&s, A, "cart-0"); /* the kubelet has not removed its folder yet */
    assert_true(pod_set_find(&s, A)->row.gone_ns > 0);
    from_api(&s, B, "", true);
    assert_true(pod_set_find(&s, B)->row.gone_ns > 0);
    pod_set_find(&s, A)->row.gone_ns -= (int64_t)POD_GONE_MS * 1000000;
    assert_true(pod_set_apply(&s, c) <= clock_mono_ms() + POD_GONE_MS);
    assert_null(pod_set_find(&s, A));
    assert_non_null(pod_set_find(&s, B));
}

static void without_the_api_the_folder_of_logs_says_what_is_there(void **state)
{
    CLEANUP(pod_set_done) struct pod_set s = {0};

    (void)state;
    from_api(&s, A, "", false); /* of an earlier run */
    from_logs(&s, B, "cart-1");
    pod_set_scan_begins(&s);
    from_logs(&s, B, "cart-1");
    pod_set_scan_ends(&s);
    assert_true(pod_set_find(&s, A)->row.gone_ns > 0 && pod_set_find(&s, B)->row.gone_ns == 0);
    pod_set_logs_removed(&s, B);
    assert_true(pod_set_find(&s, B)->row.gone_ns > 0);
    from_api(&s, A, "", false);
    assert_true(pod_set_find(&s, A)->row.gone_ns == 0);
}

static void a_pod_of_the_api_is_read(void **state)
{
    static const char text[] =
        "{\"metadata\":{\"uid\":\"m\",\"namespace\":\"kube-system\",\"name\":\"etcd-node\",\"labels\":{\"app\":"
        "\"etcd\","
        "\"pod-template-hash\":\"7f9c\"},\"annotations\":{\"kubernetes.io/config.mirror\":\"x\","
        "\"kubernetes.io/config.hash\":\"d41d8cd98f00b204e9800998ecf8427e\",\"salvage.dev/"
        "arm\":\"true\",\"team\":\"a\","
        "\"other\":\"b\"},\"ownerReferences\":[{\"kind\":\"Node\",\"name\":\"n\"},{\"kind\":\"ReplicaSet\",\"name\":"
        "\"etcd-7f9c\",\"controller\":true}]},\"spec\":{\"hostNetwork\":true,\"containers\":[{\"name\":\"a\",\"image\":"
        "\"i\"}],\"volumes\":[{\"name\":\"d\",\"emptyDir\":{}},{\"name\":\"h\",\"hostPath\":{}}]},\"status\":{"
        "\"containerStatuses\":[{\"name\":\"a\",\"containerID\":\"cri-o://6d1f\",\"restartCount\":3}]}}";
    json_auto_t *pod = json_read_object(text, strlen(text), sizeof(text));
    CLEANUP(strv_done) struct strv more = {0};
    CLEANUP(pod_row_done) struct pod_row p = {0};
    unsigned left_out;

    (void)state;
    assert_int_equal(strv_add(&more, "team"), 0);
    assert_int_equal(pod_object_read(pod, &more, &p, &left_out), 0);
    assert_string_equal(p.uid, "d41d8cd98f00b204e9800998ecf8427e"); /* of the static pod, not of its mirror */
    assert_string_equal(p.owner_kind, "Deployment");
    assert_string_equal(p.owner_name, "etcd");
    assert_string_equal(pod_row_value(&p.annotations, "salvage.dev/arm"), "true");
    assert_string_equal(pod_row_value(&p.annotations, "team"), "a");
    assert_null(pod_row_value(&p.annotations, "other"));
    assert_int_equal(p.volumes.count, 1);
    assert_string_equal(p.container[0].id, "6d1f");
    assert_int_equal(p.container[0].restarts, 3);
    assert_true(p.host_network && p.known && left_out == 0);
    json_object_del(json_object_get(pod, "metadata"), "namespace");
    assert_int_equal(pod_object_read(pod, &more, &p, &left_out), -EBADMSG);
}

/* --- folders of logs ------------------------------------------------------------------------------------------------
 */

struct heard {
    char text[512];
};

static void hear(void *ctx, const char *what, const char *name, uint64_t n)
{
    struct heard *h = ctx;
    size_t size = strlen(h->text);

    snprintf(h->text + size, sizeof(h->text) - size, "%s %s %u;", what, name, (unsigned)n);
}

static void on_pod(void *ctx, const char *uid, const struct pod_logs_names *names, int64_t created_ns)
{
    (void)uid, (void)created_ns;
    hear(ctx, "pod", names->pod, 0);
}

static void on_container(void *ctx, const char *uid, const char *name, uint64_t restarts)
{
    (void)uid;
    hear(ctx, "container", name, restarts);
}

static void on_removed(void *ctx, const char *uid)
{
    hear(ctx, "removed", uid + strlen(uid) - 1, 0);
}

static void on_scan(void *ctx)
{
    hear(ctx, "scan", "", 0);
}

static void make(const char *root, const char *name, bool folder)
{
    CLEANUP_FREE char *path = NULL;

    assert_true(asprintf(&path, "%s/%s", root, name) > 0);
    if (folder)
        assert_int_equal(file_mkdirs(AT_FDCWD, path, 0755), 0);
    else
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void folders_of_logs_are_followed(void **state)
{
    static const struct pod_log_ops ops = {on_pod, on_container, on_removed, on_scan, on_scan};
    char root[] = "/tmp/pods_XXXXXX";
    CLEANUP_FREE char *path = NULL;
    struct pod_log_source *s = NULL;
    struct heard h = {""};
    struct err e = {0};

    (void)state;
    assert_non_null(mkdtemp(root));
    make(root, "shop_cart_0a1b2c3d-0000-4000-8000-000000000001/app", true);
    make(root, "shop_cart_0a1b2c3d-0000-4000-8000-000000000001/app/1.log", false);
    make(root, "nothing", true);
    assert_int_equal(pod_log_source_new(root, &ops, &h, &s, &e), 0);
    assert_int_equal(pod_log_source_scan(s, &e), 0);
    assert_string_equal(h.text, "scan  0;pod cart 0;container app 1;scan  0;");

    h.text[0] = '\0';
    make(root, "shop_cart_0a1b2c3d-0000-4000-8000-000000000001/app/2.log", false);
    make(root, "shop_cart_0a1b2c3d-0000-4000-8000-000000000001/app/2.log.20261130", false);
    make(root, "shop_cart_0a1b2c3d-0000-4000-8000-000000000001/side", true);
    assert_int_equal(pod_log_source_act(s, &e), 0);
    make(root, "shop_cart_0a1b2c3d-0000-4000-8000-000000000001/side/0.log", false);
    assert_int_equal(pod_log_source_act(s, &e), 0);
    assert_string_equal(h.text, "container app 2;container side 0;");

    h.text[0] = '\0';
    assert_true(asprintf(&path, "%s/shop_cart_0a1b2c3d-0000-4000-8000-000000000001", root) > 0);
    assert_int_equal(file_remove_tree(AT_FDCWD, path), 0);
    assert_int_equal(pod_log_source_act(s, &e), 0);
    assert_string_equal(h.text, "removed 1 0;");
    assert_int_equal(file_remove_tree(AT_FDCWD, root), 0);
    assert_int_equal(pod_log_source_act(s, &e), -ENOENT);
    pod_log_source_free(s);
}

/* --- selection ------------------------------------------------------------------------------------------------------
 */

static void write_table(const char *path, const char *namespace, const char *rule, bool pending)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(pod_row_done) struct pod_row p = row_of(A, namespace, "");

    p.pending = pending;
    snprintf(p.rule, sizeof(p.rule), "%s", rule);
    assert_int_equal(buf_add_text(&text, POD_TABLE_HEAD), 0);
    assert_int_equal(pod_row_encode(&p, &text), 0);
    assert_int_equal(file_replace(AT_FDCWD, path, text.data, text.size, 0600), 0);
}

static void a_selection_goes_by_the_table_and_then_by_namespaces(void **state)
{
    static const struct opt_list rules = {.item = {"paid", "team"}, .count = 2},
                                 spaces = {.item = {"shop"}, .count = 1};
    char root[] = "/tmp/pods_XXXXXX", table[64];
    CLEANUP(pod_selection_free_ptr) struct pod_selection *s = NULL;
    struct pod_selection_config c = {.table = table, .rules = &rules, .namespaces = &spaces, .pod_logs = root};
    struct pod_logs_names names, other = {"shop", "other"}, cart = {"rest", "cart-0"};
    struct err e = {0};

    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(table, sizeof(table), "%s/pods.json", root);
    make(root, "shop_other_0a1b2c3d-0000-4000-8000-000000000002", true);
    assert_int_equal(pod_selection_new(&c, &s), 0);
    assert_int_equal(pod_selection_has_uid(s, A, true, &names, &e), -EINPROGRESS);
    assert_true(pod_selection_due_ms(s) != UINT64_MAX && !pod_selection_refresh(s));

    write_table(table, "rest", "paid", false);
    assert_true(pod_selection_refresh(s));
    assert_false(pod_selection_refresh(s));
    assert_int_equal(pod_selection_has_uid(s, A, true, &names, &e), 1);
    assert_string_equal(names.pod, "cart-0");
    assert_int_equal(pod_selection_has_pod(s, &cart, true, &e), 1);
    assert_true(pod_selection_due_ms(s) == UINT64_MAX);

    write_table(table, "rest", "shop", false);
    assert_true(pod_selection_refresh(s));
    assert_int_equal(pod_selection_has_uid(s, A, true, &names, &e), 0);
    write_table(table, "rest", "", true);
    assert_int_equal(pod_selection_has_uid(s, A, true, &names, &e), -EINPROGRESS);

    /* Not in the table: waited for, or by the namespace at once. */
    assert_int_equal(pod_selection_has_uid(s, B, true, &names, &e), -EINPROGRESS);
    assert_int_equal(pod_selection_has_uid(s, B, false, &names, &e), 1);
    assert_int_equal(pod_selection_has_pod(s, &other, false, &e), 1);
    assert_int_equal(pod_selection_has_uid(s, "unknown", false, &names, &e), -EAGAIN);
    assert_int_equal(file_remove_tree(AT_FDCWD, root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_fits_counts),
        cmocka_unit_test(a_pods_labels_are_waited_for),
        cmocka_unit_test(what_the_list_does_not_name_is_gone_and_stays_for_an_hour),
        cmocka_unit_test(without_the_api_the_folder_of_logs_says_what_is_there),
        cmocka_unit_test(a_pod_of_the_api_is_read),
        cmocka_unit_test(folders_of_logs_are_followed),
        cmocka_unit_test(a_selection_goes_by_the_table_and_then_by_namespaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
