/* SPDX-License-Identifier: Apache-2.0
 *
 * Pods come from the kubelet's folder of logs, by the UID in the path of the cgroup (place/pod_of_process.h).
 */
#include "node/core_choice.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob_list.h"
#include "base/mem.h"
#include "place/pod_logs.h"
#include "place/whoami.h"

static bool has_rules(const struct core_rules *r)
{
    return r->namespaces.count > 0;
}

const struct core_choice *core_choose(const struct core_choice *choices, size_t count, const struct crash_facts *f,
                                      const char **ret_why)
{
    CLEANUP(whoami_done) struct whoami pod = {0};
    bool known;

    assert(choices && count > 0 && ret_why);
    if (!has_rules(choices->rules))
        return choices;
    pod_logs_set_folder(choices->rules->pod_logs);
    known = whoami_of_process(&f->proc, &pod) == 0 && pod.by_kubelet;
    *ret_why = known ? "no rule names its namespace" : "it is in no pod that the kubelet knows";
    for (size_t i = 0; known && i < count; i++)
        if (glob_list_selects(&choices[i].rules->namespaces, pod.namespace))
            return &choices[i];
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
