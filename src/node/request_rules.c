/* SPDX-License-Identifier: Apache-2.0
 *
 * The rule's name comes from the table of pods; without one, namespaces decide.
 */
#include "node/request_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "node/accepted_config.h"
#include "node/component_env.h"

struct request_rules {
    const char *path;
    enum log_format log;
    struct config *config;
    uint64_t stamp;
};

static int load(struct request_rules *r, struct err *e)
{
    struct config *config = NULL;
    int result;

    r->stamp = component_env_stamp(r->path);
    if ((result = accepted_config_load(r->path, &config, e)) < 0)
        return result;
    config_free(r->config);
    r->config = config;
    return 0;
}

int request_rules_open(const char *path, enum log_format log, struct request_rules **ret, struct err *e)
{
    CLEANUP(request_rules_free_ptr) struct request_rules *r = calloc(1, sizeof(*r));
    int result;

    if (!r)
        return err_set(e, -ENOMEM, "out of memory");
    r->path = path;
    r->log = log;
    if ((result = load(r, e)) < 0)
        return result;
    *ret = TAKE_PTR(r);
    return 0;
}

void request_rules_free(struct request_rules *r)
{
    if (!r)
        return;
    config_free(r->config);
    free(r);
}

static bool fits(const struct config_rule *rule, const char *namespace)
{
    for (unsigned i = 0; i < rule->namespaces.count; i++)
        if (fnmatch(rule->namespaces.item[i], namespace, FNM_NOESCAPE) == 0)
            return true;
    return false;
}

static const struct config_rule *find_rule(const struct config *c, const struct request_pod *pod, const char *namespace)
{
    for (size_t i = 0; i < c->rules; i++)
        if (pod->has_rule ? text_eq(c->rule[i].name, pod->rule) : fits(&c->rule[i], namespace))
            return &c->rule[i];
    return NULL;
}

int request_rules_find(struct request_rules *r, const struct request_pod *pod, const char *namespace,
                       struct component_spec *ret, struct err *e)
{
    const struct config_rule *rule;
    struct err ignored;

    if (component_env_stamp(r->path) != r->stamp)
        load(r, &ignored); /* the node reports what is wrong with it */
    if (!(rule = find_rule(r->config, pod, namespace)))
        return err_set(e, -FAULT_REFUSED, "no rule of this node's agent fits the pod");
    if (!rule->requests)
        return err_set(e, -FAULT_REFUSED,
                       "the rule \"%s\" of this node's agent takes no requests (\"requests: false\")", rule->name);
    return component_add_store(ret, r->config, rule->to, r->log) < 0 ? err_set(e, -ENOMEM, "out of memory") : 0;
}
