/* SPDX-License-Identifier: Apache-2.0
 *
 * Kills by the kernel in pods that no guard watches, and notices. A guard records the kills of its pods by itself, so
 * each pod has one component that does.
 */
#include <assert.h>
#include <stdio.h>

#include "node/component_args.h"
#include "node/components.h"

int component_add_notices(struct component_spec *s, const struct config *c, const struct config_destination *d)
{
    const struct config_notify *n = &c->notify;
    int r;

    if (n->targets.count == 0 && !n->file)
        return 0;
    if ((r = component_add_list(&s->args, "notify", &n->targets)) < 0 ||
        (r = component_add_option(&s->args, "notify-file", n->file)) < 0 ||
        (r = component_add_option(&s->args, "notify-every", n->every)) < 0)
        return r;
    return component_add_option(&s->args, "public-url", d->public_url);
}

/* The component of this rule, unless an earlier rule has the same destination. */
static int add_kills(struct component_list *l, const struct config *c, const struct config_rule *rule,
                     enum log_format format)
{
    static const char *const command[] = {"salvage", "guard", "--all", "--kills-only", NULL};
    bool mine[CONFIG_RULES_MAX] = {false};
    struct component_spec *s;
    int r;

    for (size_t i = 0; i < c->rules; i++) {
        mine[i] = c->rule[i].kills && !c->rule[i].guard.on && c->rule[i].to == rule->to;
        if (mine[i] && &c->rule[i] < rule)
            return 0;
    }
    if ((r = component_list_add(l, &s)) < 0)
        return r;
    s->line = rule->line;
    snprintf(s->name, sizeof(s->name), "kills/%s", rule->to->name);
    if ((r = component_add_words(&s->args, command)) < 0 ||
        (r = component_add_option(&s->args, "pod-logs", c->pod_logs)) < 0 ||
        (c->state && (r = strv_printf(&s->args, "--state=%s/kills-%s", c->state, rule->to->name)) < 0) ||
        (r = component_add_selection(&s->args, c, mine)) < 0 || (r = component_add_notices(s, c, rule->to)) < 0)
        return r;
    return component_add_store(s, c, rule->to, format);
}

int component_add_all_kills(struct component_list *l, const struct config *c, enum log_format format)
{
    int r = 0;

    assert(l && c);
    for (size_t i = 0; i < c->rules && r == 0; i++)
        if (c->rule[i].kills && !c->rule[i].guard.on)
            r = add_kills(l, c, &c->rule[i], format);
    return r;
}
