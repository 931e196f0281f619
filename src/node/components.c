/* SPDX-License-Identifier: Apache-2.0
 *
 * Options that are not given in the configuration are left to the command's own defaults.
 */
#include "node/components.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/text.h"
#include "node/component_args.h"
#include "node/core_home.h"
#include "node/pod_rules.h"

/* The kubelet evicts pods at 10 % (nodefs.available) and 15 % (imagefs.available). */
#define KEEP_FREE "17%"

enum {
    GIVE_UP_MS = 10 * 60 * 1000,
    CAPTURES = 4 /* each takes a processor and a disk; a fifth JVM waits a moment for its turn */
};

void component_spec_done(struct component_spec *s)
{
    strv_done(&s->args);
    free(s->credentials);
    free(s->follows);
}

void cores_plan_done(struct cores_plan *p)
{
    while (p->sets > 0)
        component_spec_done(&p->set[--p->sets]);
    free(p->set);
    free(p->dir);
    *p = (struct cores_plan){0};
}

void component_list_done(struct component_list *l)
{
    while (l->count > 0)
        component_spec_done(&l->item[--l->count]);
    free(l->item);
    strv_done(&l->trees);
    cores_plan_done(&l->cores);
    *l = (struct component_list){0};
}

int component_add_namespaces(struct strv *args, const struct config *c, const bool *mine)
{
    size_t end = c->rules;
    int r = 0;

    while (end > 0 && !mine[end - 1])
        end--;
    for (size_t i = 0; i < end; i++)
        for (unsigned k = 0; !pod_rules_asks(&c->rule[i]) && k < c->rule[i].namespaces.count && r == 0; k++)
            r = strv_printf(args, "--namespace=%s%s", mine[i] ? "" : "!", c->rule[i].namespaces.item[k]);
    return r;
}

/* The pods of these rules. */
static int add_pod_rules(struct strv *args, const struct config *c, const bool *mine)
{
    int r = strv_printf(args, "--pods=%s/pods.json", c->run);

    for (size_t i = 0; i < c->rules && r == 0; i++)
        if (mine[i])
            r = strv_printf(args, "--pod-rule=%s", c->rule[i].name);
    return r;
}

int component_add_selection(struct strv *args, const struct config *c, const bool *mine)
{
    int r = c->pods.on && (c->path || c->watch.volumes) ? add_pod_rules(args, c, mine) : 0;

    return r < 0 ? r : component_add_namespaces(args, c, mine);
}

/* What is sent to the destination, and by all components together. */
static int add_bandwidth(struct component_spec *s, const struct config *c, const struct config_destination *d)
{
    /* The handler of cores runs on the host, and has its folder alone. */
    const char *cores = c->cores.dir ? c->cores.dir : CORE_HOME_DEFAULT, *folder = c->cores.on ? cores : c->run;
    int r = 0;

    if (d->bandwidth)
        r = strv_printf(&s->args, "--bandwidth=%s@%s/bandwidth-%s", d->bandwidth, folder, d->name);
    if (r == 0 && c->limits.bandwidth)
        r = strv_printf(&s->args, "--bandwidth=%s@%s/bandwidth", c->limits.bandwidth, folder);
    return r;
}

int component_add_store(struct component_spec *s, const struct config *c, const struct config_destination *d,
                        enum log_format format)
{
    int r;

    if ((r = component_add_option(&s->args, "to", d->url)) < 0 ||
        (r = component_add_option(&s->args, "endpoint", d->endpoint)) < 0 ||
        (r = component_add_option(&s->args, "region", d->region)) < 0 ||
        (r = component_add_option(&s->args, "ca-file", d->ca_file)) < 0 ||
        (r = component_add_option(&s->args, "credentials-file", d->is_http ? d->credentials : NULL)) < 0 ||
        (r = d->path_style ? strv_add(&s->args, "--path-style") : 0) < 0 ||
        (r = component_add_log(&s->args, format)) < 0 || (r = add_bandwidth(s, c, d)) < 0)
        return r;
    if (d->credentials && !(s->credentials = strdup(d->credentials)))
        return -ENOMEM;
    return 0;
}

/* The state lies in the tree: evidence is claimed by a rename. */
static int add_tree(struct component_spec *s, const struct config *c, const struct config_destination *d,
                    const char *tree)
{
    int r;

    if ((r = strv_add(&s->args, tree)) < 0 || (r = strv_add(&s->args, "--recursive")) < 0 ||
        (r = component_add_option(&s->args, "layout", c->watch.layout ? c->watch.layout : "namespace/pod")) < 0 ||
        (r = strv_printf(&s->args, "--state=%s/.salvage-%s", tree, d->name)) < 0)
        return r;
    return component_add_option(&s->args, "dir-mode", c->watch.dir_mode);
}

/* tree: NULL: none. */
static int add_watch_options(struct component_spec *s, const struct config *c, const struct config_destination *d,
                             const char *tree)
{
    const struct config_watch *w = &c->watch;
    int r;

    if ((r = component_add_words(&s->args, (const char *const[]){"salvage", "watch", NULL})) < 0 ||
        (r = tree ? add_tree(s, c, d, tree) : 0) < 0 ||
        (r = component_add_option(&s->args, "retain-age", w->retain_age)) < 0 ||
        (r = component_add_option(&s->args, "retain-bytes", w->retain_bytes)) < 0)
        return r;
    return strv_printf(&s->args, "--grace=%" PRIu64 "ms", c->grace_ms);
}

/* All guards count together. */
static int add_captures(struct component_spec *s, const struct config *c)
{
    int r = strv_printf(&s->args, "--share=%s/guards", c->run);

    if (r == 0)
        r = c->limits.captures ? component_add_option(&s->args, "at-once-all", c->limits.captures)
                               : strv_printf(&s->args, "--at-once-all=%d", CAPTURES);
    return r == 0 ? component_add_option(&s->args, "at-once", c->limits.captures_namespace) : r;
}

static int add_guard_options(struct component_spec *s, const struct config *c, const struct config_rule *rule)
{
    const struct config_guard *g = &rule->guard;
    int r;

    if ((r = component_add_words(&s->args, (const char *const[]){"salvage", "guard", "--all", NULL})) < 0 ||
        (r = component_add_list(&s->args, "when", &g->when)) < 0 ||
        (r = component_add_list(&s->args, "do", &g->actions)) < 0 ||
        (r = component_add_option(&s->args, "cooldown", g->cooldown)) < 0 ||
        (r = component_add_option(&s->args, "max-cases", g->max_cases)) < 0 ||
        (r = component_add_option(&s->args, "max-cases-tenant", g->max_cases_tenant)) < 0 ||
        (r = component_add_option(&s->args, "max-cases-all", g->max_cases_all)) < 0 ||
        (r = component_add_option(&s->args, "pod-logs", c->pod_logs)) < 0 || (r = add_captures(s, c)) < 0)
        return r;
    if (c->state && (r = strv_printf(&s->args, "--state=%s/guard-%s", c->state, rule->name)) < 0)
        return r;
    /* One case is made after the other: a dead store must not keep it from the next. */
    return g->give_up ? component_add_option(&s->args, "give-up", g->give_up)
                      : strv_printf(&s->args, "--give-up=%dms", GIVE_UP_MS);
}

int component_list_add(struct component_list *l, struct component_spec **ret)
{
    int r = array_reserve(&l->item, l->count + 1, &l->capacity, sizeof(*l->item), COMPONENTS_MAX);

    if (r < 0)
        return r;
    l->item[l->count] = (struct component_spec){0};
    *ret = &l->item[l->count++];
    return 0;
}

/* The watches of a destination, one for each tree; the first also has the folders in pods. */
static int add_watches(struct component_list *l, const struct config *c, const struct config_destination *d,
                       enum log_format format)
{
    bool mine[CONFIG_RULES_MAX] = {false}, any = false;
    unsigned trees = c->watch.trees.count, count = trees == 0 && c->watch.volumes ? 1 : trees;
    struct component_spec *s;
    int r = 0;

    for (size_t i = 0; i < c->rules; i++)
        any |= mine[i] = c->rule[i].to == d && c->rule[i].watch;
    for (unsigned i = 0; any && i < count && r == 0; i++) {
        if ((r = component_list_add(l, &s)) < 0)
            return r;
        s->line = d->line;
        if (count == 1)
            snprintf(s->name, sizeof(s->name), "watch/%s", d->name);
        else
            snprintf(s->name, sizeof(s->name), "watch/%s/%u", d->name, i + 1);
        if ((r = add_watch_options(s, c, d, trees > 0 ? c->watch.trees.item[i] : NULL)) < 0 ||
            (r = trees > 0 ? component_add_selection(&s->args, c, mine) : add_pod_rules(&s->args, c, mine)) < 0 ||
            (r = i == 0 && c->watch.volumes ? component_add_option(&s->args, "kubelet", c->kubelet) : 0) < 0 ||
            (r = component_add_notices(s, c, d)) < 0)
            return r;
        r = component_add_store(s, c, d, format);
    }
    return r;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || text_eq(a, b);
}

/* One guard serves both rules. */
static bool same_guard(const struct config_rule *a, const struct config_rule *b)
{
    const struct config_guard *x = &a->guard, *y = &b->guard;

    return a->to == b->to && x->on && y->on && opt_list_same(&x->when, &y->when) &&
           opt_list_same(&x->actions, &y->actions) && same_text(x->cooldown, y->cooldown) &&
           same_text(x->max_cases, y->max_cases) && same_text(x->max_cases_tenant, y->max_cases_tenant) &&
           same_text(x->max_cases_all, y->max_cases_all) && same_text(x->give_up, y->give_up);
}

/* The guard of this rule, unless an earlier rule has the same. */
static int add_guard(struct component_list *l, const struct config *c, const struct config_rule *rule,
                     enum log_format format)
{
    bool mine[CONFIG_RULES_MAX] = {false};
    struct component_spec *s;
    int r;

    for (size_t i = 0; i < c->rules; i++) {
        mine[i] = same_guard(&c->rule[i], rule);
        if (mine[i] && &c->rule[i] < rule)
            return 0;
    }
    if ((r = component_list_add(l, &s)) < 0)
        return r;
    s->line = rule->line;
    snprintf(s->name, sizeof(s->name), "guard/%s", rule->name);
    if ((r = add_guard_options(s, c, rule)) < 0 || (r = component_add_selection(&s->args, c, mine)) < 0 ||
        (r = component_add_notices(s, c, rule->to)) < 0)
        return r;
    return component_add_store(s, c, rule->to, format);
}

/* Others wait for what it knows. */
static void start_first(struct component_list *l)
{
    struct component_spec last = l->item[l->count - 1];

    memmove(l->item + 1, l->item, (l->count - 1) * sizeof(*l->item));
    l->item[0] = last;
}

static bool is_watch(const struct component_spec *s)
{
    return text_eq(s->args.item[1], "watch");
}

/* What waits on this machine's disk: each watch gets the same part of it. */
static int add_disk_limits(struct component_list *l, const struct config *c)
{
    const struct config_limits *limits = &c->limits;
    unsigned watches = 0;
    int r = 0;

    for (size_t i = 0; i < l->count; i++)
        watches += is_watch(&l->item[i]);
    for (size_t i = 0; i < l->count && r == 0; i++) {
        struct strv *args = &l->item[i].args;

        if (!is_watch(&l->item[i]))
            continue;
        r = strv_printf(args, "--keep-free=%s", limits->keep_free ? limits->keep_free : KEEP_FREE);
        if (r == 0 && limits->disk)
            r = strv_printf(args, "--retain-bytes=%" PRIu64, limits->disk / watches);
        if (r == 0)
            r = component_add_option(args, "retain-bytes-tenant", limits->disk_namespace);
    }
    return r;
}

int component_list_make(const struct config *c, enum log_format format, struct component_list *ret)
{
    CLEANUP(component_list_done) struct component_list l = {0};
    int r = 0;

    assert(c && ret);
    for (unsigned i = 0; i < c->watch.trees.count && r == 0; i++)
        r = strv_add(&l.trees, c->watch.trees.item[i]);
    for (size_t i = 0; i < c->destinations && r == 0; i++)
        r = add_watches(&l, c, &c->destination[i], format);
    for (size_t i = 0; i < c->rules && r == 0; i++)
        if (c->rule[i].guard.on)
            r = add_guard(&l, c, &c->rule[i], format);
    if (r == 0)
        r = component_add_all_kills(&l, c, format);
    if (r == 0)
        r = component_add_cores(&l, c, format);
    if (r == 0)
        r = add_disk_limits(&l, c);
    if (r == 0 && c->requests.url)
        r = component_add_requests(&l, c, format);
    if (r == 0)
        r = component_add_arm(&l, c, format);
    if (r == 0 && c->pods.on && c->path && (l.count > 0 || l.cores.dir))
        if ((r = component_add_pods(&l, c, format)) == 0)
            start_first(&l);
    if (r < 0)
        return r;
    *ret = l;
    l = (struct component_list){0};
    return 0;
}
