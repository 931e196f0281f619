/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pod a process's evidence is filed under, by what its environment names and what we know of ourselves. The test
 * stands in for the reading of both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "place/container.h"
#include "place/containerid.h"
#include "ship/evidence_owner.h"
#include "stand_in.h"

static struct {
    struct whoami self, process; /* ours; as the process's environment has it */
    int result;                  /* of reading that */
    const char *pod_uid;         /* as the cgroup's name has it */
    struct whoami owner;
    struct facts facts;
    struct shipping shipping;
} t;

static char *copy(const char *text)
{
    return text ? strdup(text) : NULL;
}

STANDS_IN(fake_whoami_of_process, whoami_of_process);
int fake_whoami_of_process(const struct proc *p, struct whoami *ret)
{
    assert_int_equal(p->pid, 4711);
    if (t.result < 0)
        return t.result;
    *ret = (struct whoami){.namespace = copy(t.process.namespace),
                           .pod = copy(t.process.pod),
                           .pod_uid = copy(t.process.pod_uid),
                           .node = copy(t.process.node),
                           .host = copy(t.process.host),
                           .place = copy(t.process.place)};
    return 0;
}

STANDS_IN(fake_container_pod, container_pod);
bool fake_container_pod(int procfd, char out[PODUID_MAX])
{
    (void)procfd;
    snprintf(out, PODUID_MAX, "%s", t.pod_uid ? t.pod_uid : "");
    return t.pod_uid != NULL;
}

#define WHO(...)                                                                                                       \
    (struct whoami)                                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    stand_set_up();
    t.self =
        WHO(.host = (char *)"node-7", .place = (char *)"host/node-7", .machine = (char *)"m", .node = (char *)"n7");
    t.process = WHO(.namespace = (char *)"shop", .pod = (char *)"cart-0", .host = (char *)"cart-0",
                    .place = (char *)"shop/cart-0");
    t.shipping = (struct shipping){.who = &t.self, .facts = &t.facts};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    whoami_done(&t.owner);
    return 0;
}

static void decide(void)
{
    evidence_owner_set(&t.shipping, &(struct proc){.fd = -1, .pid = 4711}, &t.owner);
}

static void assert_is_ours(void)
{
    decide();
    assert_ptr_equal(t.shipping.who, &t.self);
    assert_ptr_equal(t.shipping.facts, &t.facts);
    assert_null(t.owner.host);
}

static void another_pod_on_the_node_owns_its_evidence(void **state)
{
    (void)state;
    decide();
    assert_ptr_equal(t.shipping.who, &t.owner);
    assert_string_equal(t.owner.place, "shop/cart-0");
    assert_string_equal(t.owner.machine, "m");
    assert_string_equal(t.owner.node, "n7");
    assert_null(t.owner.pod_uid);
    assert_ptr_not_equal(t.shipping.facts, &t.facts); /* what a metadata service knows of us is not about that pod */
}

static void what_the_process_names_itself_counts_more(void **state)
{
    (void)state;
    t.process.node = (char *)"n8";
    t.process.pod_uid = (char *)"its-uid";
    t.pod_uid = "another";
    decide();
    assert_string_equal(t.owner.node, "n8");
    assert_string_equal(t.owner.pod_uid, "its-uid");
}

static void the_pod_uid_comes_from_the_cgroup_where_no_variable_has_it(void **state)
{
    (void)state;
    t.pod_uid = "6f3c";
    decide();
    assert_string_equal(t.owner.pod_uid, "6f3c");
}

static void a_sidecar_keeps_its_names_for_the_containers_of_its_pod(void **state)
{
    (void)state;
    t.self = t.process;
    t.self.machine = (char *)"m";
    assert_is_ours();
    t.process.namespace = t.process.pod = NULL; /* containers mostly have no such variables */
    assert_is_ours();
}

static void a_debug_container_takes_the_names_that_it_lacks(void **state)
{
    (void)state;
    t.self.host = (char *)"cart-0"; /* all containers of a pod have its host name */
    decide();
    assert_ptr_equal(t.shipping.who, &t.owner);
    assert_string_equal(t.owner.pod, "cart-0");
}

static void a_process_that_cannot_be_read_counts_as_ours(void **state)
{
    (void)state;
    t.result = -EACCES;
    assert_is_ours();
    t.result = -ESRCH;
    assert_is_ours();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_pod_on_the_node_owns_its_evidence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_process_names_itself_counts_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_pod_uid_comes_from_the_cgroup_where_no_variable_has_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sidecar_keeps_its_names_for_the_containers_of_its_pod, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_debug_container_takes_the_names_that_it_lacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_process_that_cannot_be_read_counts_as_ours, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
