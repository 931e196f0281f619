/* SPDX-License-Identifier: Apache-2.0
 *
 * The pod is known by the UID in the path of the cgroup: the agent's table has its rule, the kubelet's folder of logs
 * its namespace.
 */
#include "node/core_choice.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/glob_list.h"
#include "base/mem.h"
#include "base/text.h"
#include "place/container.h"
#include "place/pod_logs.h"
#include "place/pod_table.h"

enum { TABLE_WAIT_MS = 3000, TABLE_POLL_MS = 100 };

/* A crash that is offered to sets with rules. */
struct choosing {
    const struct core_choice *choices;
    size_t count;
};

static bool has_rules(const struct core_rules *r)
{
    return r->namespaces.count > 0 || r->pod_rules.count > 0;
}

/* The row of the pod, once its rule is known. A pod that has just begun is waited for. */
static int find_row(const char *path, const char *uid, struct pod_row *ret)
{
    CLEANUP(pod_table_free_ptr) struct pod_table *table = NULL;
    uint64_t until_ms = clock_mono_ms() + TABLE_WAIT_MS;
    int r = pod_table_open(path, &table);

    while (r == 0) {
        pod_table_refresh(table);
        if (pod_table_find(table, uid, ret) == 0) {
            if (!ret->pending)
                return 0;
            pod_row_done(ret);
            *ret = (struct pod_row){0};
        }
        if (!pod_table_is_read(table) || clock_mono_ms() >= until_ms)
            return -ENOENT;
        clock_sleep_ms(TABLE_POLL_MS);
    }
    return r;
}

static const struct core_choice *by_rule(const struct choosing *c, const char *rule)
{
    for (size_t i = 0; i < c->count; i++)
        for (unsigned k = 0; k < c->choices[i].rules->pod_rules.count; k++)
            if (text_eq(c->choices[i].rules->pod_rules.item[k], rule))
                return &c->choices[i];
    return NULL;
}

static const struct core_choice *by_namespace(const struct choosing *c, const char *namespace)
{
    for (size_t i = 0; i < c->count; i++)
        if (glob_list_selects(&c->choices[i].rules->namespaces, namespace))
            return &c->choices[i];
    return NULL;
}

const struct core_choice *core_choose(const struct core_choice *choices, size_t count, const struct crash_facts *f,
                                      const char **ret_why)
{
    const struct choosing c = {choices, count};
    CLEANUP(pod_row_done) struct pod_row row = {0};
    const char *pods = choices->rules->pods;
    struct pod_logs_names names;
    char uid[PODUID_MAX];

    assert(choices && count > 0 && ret_why);
    if (!has_rules(choices->rules))
        return choices;
    pod_logs_set_folder(choices->rules->pod_logs);
    *ret_why = "no rule fits its pod";
    if (!container_pod(f->proc.fd, uid)) {
        *ret_why = "it is in no pod";
        return NULL;
    }
    if (pods && find_row(pods, uid, &row) == 0)
        return *row.rule ? by_rule(&c, row.rule) : NULL;
    if (pod_logs_names(pod_logs_folder(), uid, &names) == 0)
        return by_namespace(&c, names.namespace);
    *ret_why = "the kubelet does not know its pod";
    return NULL;
}

int core_choice_enter(const struct core_choice *c)
{
    for (size_t i = 0; i < c->set->environment.count; i++) {
        CLEANUP_FREE char *name = strdup(c->set->environment.item[i]);
        char *equals = name ? strchr(name, '=') : NULL;

        if (!equals)
            return -ENOMEM;
        *equals = '\0';
        if (setenv(name, equals + 1, 1) < 0)
            return -ENOMEM;
    }
    return 0;
}
