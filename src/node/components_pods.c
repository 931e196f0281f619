/* SPDX-License-Identifier: Apache-2.0
 *
 * The components that know pods and processes, and ship nothing themselves.
 */
#include <stdio.h>

#include "node/component_args.h"
#include "node/components.h"
#include "node/run_folder.h"

int component_add_requests(struct component_list *l, const struct config *c, enum log_format format)
{
    const struct config_requests *q = &c->requests;
    struct component_spec *s;
    int r = component_list_add(l, &s);

    if (r < 0)
        return r;
    s->line = q->line;
    snprintf(s->name, sizeof(s->name), "requests");
    if ((r = component_add_words(&s->args, (const char *const[]){"salvage", "node-requests", NULL})) < 0 ||
        (r = strv_printf(&s->args, "--config=%s/" NODE_ACCEPTED, c->run)) < 0 ||
        (r = component_add_option(&s->args, "url", q->url)) < 0 ||
        (r = component_add_option(&s->args, "ca-file", q->ca_file)) < 0 ||
        (r = component_add_option(&s->args, "credentials-file", q->credentials)) < 0 ||
        (r = component_add_option(&s->args, "node", c->pods.node)) < 0 ||
        (r = c->pods.on ? strv_printf(&s->args, "--pods=%s/pods.json", c->run) : 0) < 0 ||
        (r = component_add_option(&s->args, "pod-logs", c->pod_logs)) < 0)
        return r;
    return component_add_log(&s->args, format);
}

int component_add_arm(struct component_list *l, const struct config *c, enum log_format format)
{
    struct component_spec *s;
    bool any = false;
    int r;

    for (size_t i = 0; i < c->rules; i++)
        any = any || c->rule[i].arm != CONFIG_ARM_NONE;
    if (!any)
        return 0;
    if ((r = component_list_add(l, &s)) < 0)
        return r;
    snprintf(s->name, sizeof(s->name), "arm");
    if ((r = component_add_words(&s->args, (const char *const[]){"salvage", "node-arm", NULL})) < 0 ||
        (r = c->pods.on ? strv_printf(&s->args, "--pods=%s/pods.json", c->run) : 0) < 0 ||
        (r = component_add_option(&s->args, "pod-logs", c->pod_logs)) < 0 ||
        (r = component_add_option(&s->args, "kubelet", c->watch.volumes ? c->kubelet : NULL)) < 0 ||
        (r = component_add_list(&s->args, "tree", &c->watch.trees)) < 0)
        return r;
    for (size_t i = 0; i < c->rules && r == 0; i++)
        if (c->rule[i].arm != CONFIG_ARM_NONE)
            r = component_add_option(&s->args, c->rule[i].arm == CONFIG_ARM_ALL ? "arm-rule" : "asked-rule",
                                     c->rule[i].name);
    return r < 0 ? r : component_add_log(&s->args, format);
}

int component_add_pods(struct component_list *l, const struct config *c, enum log_format format)
{
    const struct config_pods *p = &c->pods;
    struct component_spec *s;
    int r = component_list_add(l, &s);

    if (r < 0)
        return r;
    snprintf(s->name, sizeof(s->name), "pods");
    s->reads_config = true;
    if ((r = component_add_words(&s->args, (const char *const[]){"salvage", "node-pods", NULL})) < 0 ||
        (r = strv_printf(&s->args, "--config=%s/" NODE_ACCEPTED, c->run)) < 0 ||
        (r = strv_printf(&s->args, "--out=%s/pods.json", c->run)) < 0 ||
        (r = l->cores.dir ? strv_printf(&s->args, "--copy=%s/pods.json", l->cores.dir) : 0) < 0 ||
        (r = component_add_option(&s->args, "pod-logs", c->pod_logs)) < 0 ||
        (r = component_add_option(&s->args, "node", p->node)) < 0 ||
        (r = component_add_option(&s->args, "api", p->api)) < 0 ||
        (r = component_add_option(&s->args, "account", p->account)) < 0 ||
        (r = component_add_option(&s->args, "kubelet", p->kubelet)) < 0 ||
        (r = component_add_option(&s->args, "kubelet-ca", p->kubelet_ca)) < 0)
        return r;
    return component_add_log(&s->args, format);
}
