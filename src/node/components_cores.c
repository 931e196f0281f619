/* SPDX-License-Identifier: Apache-2.0
 *
 * What the configuration says of cores. Keys that are not given are left to the defaults of `core install`.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "node/component_args.h"
#include "node/components.h"
#include "node/core_home.h"
#include "node/pod_rules.h"

/* The rules whose pods' cores go to this destination. False: there are none. */
static bool find_mine(const struct config *c, const struct config_destination *d, bool mine[CONFIG_RULES_MAX])
{
    bool any = false;

    for (size_t i = 0; i < c->rules; i++)
        any |= mine[i] = c->rule[i].to == d && c->rule[i].cores;
    return any;
}

/* Labels are known by the table alone. Without it a rule that asks for some fits no pod. */
static int add_pods(struct strv *args, const struct component_list *l, const struct config *c, const bool *mine)
{
    int r = 0;

    if (!pod_rules_ask_labels(c))
        return component_add_namespaces(args, c, mine);
    if (c->pods.on)
        r = strv_printf(args, "--pods=%s/pods.json", l->cores.dir);
    for (size_t i = 0; i < c->rules && r == 0; i++)
        if (mine[i])
            r = component_add_option(args, "pod-rule", c->rule[i].name);
    /* Not by component_add_namespaces: to a handler without namespaces each fits. */
    for (size_t i = 0; i < c->rules; i++)
        for (unsigned k = 0; !pod_rules_asks(&c->rule[i]) && k < c->rule[i].namespaces.count && r == 0; k++)
            r = strv_printf(args, "--namespace=%s%s", mine[i] ? "" : "!", c->rule[i].namespaces.item[k]);
    return r;
}

static int add_set(struct component_list *l, const struct config *c, const struct config_destination *d,
                   enum log_format format)
{
    static const char *const command[] = {"salvage", "core", "install", NULL};
    struct component_spec *s = &l->cores.set[l->cores.sets++];
    const struct config_cores *k = &c->cores;
    bool mine[CONFIG_RULES_MAX];
    int r;

    find_mine(c, d, mine);
    s->line = k->line;
    snprintf(s->name, sizeof(s->name), "cores/%s", d->name);
    if ((r = component_add_words(&s->args, command)) < 0 ||
        (r = component_add_option(&s->args, "dir", l->cores.dir)) < 0 ||
        (r = component_add_option(&s->args, "rate", k->rate)) < 0 ||
        (r = component_add_option(&s->args, "core-max", k->core_max)) < 0 ||
        (r = component_add_option(&s->args, "hold", k->hold)) < 0 ||
        (r = k->spool ? strv_printf(&s->args, "--spool=%s/%s", k->spool, d->name) : 0) < 0 ||
        (r = component_add_option(&s->args, "spool-max", k->spool_max)) < 0 ||
        (r = component_add_option(&s->args, "at-once", k->at_once)) < 0 ||
        (r = component_add_option(&s->args, "pod-logs", c->pod_logs)) < 0 ||
        (r = k->any_limit ? strv_add(&s->args, "--any-limit") : 0) < 0 ||
        (r = k->chain ? strv_add(&s->args, "--chain") : 0) < 0 || (r = add_pods(&s->args, l, c, mine)) < 0)
        return r;
    return component_add_store(s, c, d, format);
}

/* Ships what the handler has put on the disk while the store was away: all of it, as each destination has its folder.
 */
static int add_spool_watch(struct component_list *l, const struct config *c, const struct config_destination *d,
                           enum log_format format)
{
    static const char *const command[] = {"salvage", "watch", NULL};
    static const char *const how[] = {"--recursive", "--layout=namespace/pod", "--dir-mode=700", "--core-spool", NULL};
    const char *spool = c->cores.spool;
    struct component_spec *s;
    int r = component_list_add(l, &s);

    if (r < 0)
        return r;
    s->line = c->cores.line;
    snprintf(s->name, sizeof(s->name), "cores-spool/%s", d->name);
    if ((r = component_add_words(&s->args, command)) < 0 || (r = strv_printf(&s->args, "%s/%s", spool, d->name)) < 0 ||
        (r = component_add_words(&s->args, how)) < 0 ||
        (r = strv_printf(&s->args, "--state=%s/%s/.salvage", spool, d->name)) < 0 ||
        (r = strv_printf(&s->args, "--grace=%" PRIu64 "ms", c->grace_ms)) < 0 ||
        (r = component_add_notices(s, c, d)) < 0)
        return r;
    return component_add_store(s, c, d, format);
}

/* Started anew when the handler's configuration changes. */
static int add_server(struct component_list *l, const struct config *c)
{
    static const char *const command[] = {"salvage", "core", "serve", NULL};
    struct component_spec *s;
    int r = component_list_add(l, &s);

    if (r < 0)
        return r;
    s->line = c->cores.line;
    snprintf(s->name, sizeof(s->name), "cores");
    if ((r = component_add_words(&s->args, command)) < 0 ||
        (r = component_add_option(&s->args, "dir", l->cores.dir)) < 0)
        return r;
    if (asprintf(&s->follows, "%s/config.json", l->cores.dir) >= 0)
        return 0;
    s->follows = NULL;
    return -ENOMEM;
}

int component_add_cores(struct component_list *l, const struct config *c, enum log_format format)
{
    bool mine[CONFIG_RULES_MAX], any = false;
    int r = 0;

    assert(l && c && !l->cores.dir);
    for (size_t i = 0; i < c->destinations; i++)
        any |= find_mine(c, &c->destination[i], mine);
    if (!any)
        return 0;
    if (!(l->cores.dir = strdup(c->cores.dir ? c->cores.dir : CORE_HOME_DEFAULT)) ||
        !(l->cores.set = calloc(CONFIG_DESTINATIONS_MAX, sizeof(*l->cores.set))))
        return -ENOMEM;
    for (size_t i = 0; i < c->destinations && r == 0; i++) {
        if (!find_mine(c, &c->destination[i], mine))
            continue;
        r = add_set(l, c, &c->destination[i], format);
        if (r == 0 && c->cores.spool)
            r = add_spool_watch(l, c, &c->destination[i], format);
    }
    return r == 0 && c->cores.pattern && text_eq(c->cores.pattern, "socket") ? add_server(l, c) : r;
}
