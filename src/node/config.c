/* SPDX-License-Identifier: Apache-2.0
 *
 * From the top: destinations first, as rules name them.
 */
#include "node/config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"
#include "node/config_keys.h"
#include "node/run_folder.h"

enum { NAME_MAX_BYTES = 40, GRACE_MS = 25 * 1000, GRACE_MOST_MS = 60 * 60 * 1000 };

struct top {
    struct config_notify notify;
    bool kills, arm;
    const struct config_node *destinations, *rules, *watch, *guard, *cores, *limits, *pods, *requests;
    const char *state, *pod_logs, *kubelet, *metrics;
    uint64_t grace_ms;
};

struct rule_keys {
    const char *name, *destination, *arm;
    struct opt_list namespaces;
    bool watch, cores, kills, requests;
    const struct config_node *guard, *labels, *annotations;
};

#define KEY(type, name, kind, field)                                                                                   \
    {                                                                                                                  \
        name, offsetof(struct type, field), CONFIG_KEY_##kind, false                                                   \
    }
#define REQUIRED(type, name, kind, field)                                                                              \
    {                                                                                                                  \
        name, offsetof(struct type, field), CONFIG_KEY_##kind, true                                                    \
    }
/* clang-format off */
#define KEYS_END {NULL, 0, CONFIG_KEY_TEXT, false}
/* clang-format on */

static const struct config_key TOP[] = {
    REQUIRED(top, "destinations", NODE, destinations),
    REQUIRED(top, "rules", NODE, rules),
    KEY(top, "watch", NODE, watch),
    KEY(top, "guard", NODE, guard),
    KEY(top, "kills", FLAG, kills),
    KEY(top, "notify", LIST, notify.targets),
    KEY(top, "notify-file", PATH, notify.file),
    KEY(top, "notify-every", TIME, notify.every),
    KEY(top, "cores", NODE, cores),
    KEY(top, "limits", NODE, limits),
    KEY(top, "pods", NODE, pods),
    KEY(top, "requests", NODE, requests),
    KEY(top, "arm", FLAG, arm),
    KEY(top, "state", PATH, state),
    KEY(top, "pod-logs", PATH, pod_logs),
    KEY(top, "kubelet", PATH, kubelet),
    KEY(top, "grace", DURATION, grace_ms),
    KEY(top, "metrics", TEXT, metrics),
    KEYS_END,
};
static const struct config_key DESTINATION[] = {
    REQUIRED(config_destination, "url", TEXT, url),
    KEY(config_destination, "endpoint", TEXT, endpoint),
    KEY(config_destination, "region", TEXT, region),
    KEY(config_destination, "path-style", FLAG, path_style),
    KEY(config_destination, "ca-file", PATH, ca_file),
    KEY(config_destination, "credentials", PATH, credentials),
    KEY(config_destination, "bandwidth", TEXT, bandwidth),
    KEY(config_destination, "public-url", TEXT, public_url),
    KEYS_END,
};
static const struct config_key WATCH[] = {
    KEY(config_watch, "trees", LIST, trees),
    KEY(config_watch, "volumes", FLAG, volumes),
    KEY(config_watch, "layout", TEXT, layout),
    KEY(config_watch, "dir-mode", TEXT, dir_mode),
    KEY(config_watch, "retain-age", TIME, retain_age),
    KEY(config_watch, "retain-bytes", TEXT, retain_bytes),
    KEYS_END,
};
static const struct config_key GUARD[] = {
    KEY(config_guard, "when", LIST, when),
    KEY(config_guard, "do", LIST, actions),
    KEY(config_guard, "cooldown", TIME, cooldown),
    KEY(config_guard, "max-cases", TEXT, max_cases),
    KEY(config_guard, "max-cases-tenant", TEXT, max_cases_tenant),
    KEY(config_guard, "max-cases-all", TEXT, max_cases_all),
    KEY(config_guard, "give-up", TIME, give_up),
    KEYS_END,
};
static const struct config_key CORES[] = {
    KEY(config_cores, "dir", PATH, dir),
    KEY(config_cores, "rate", TEXT, rate),
    KEY(config_cores, "core-max", TEXT, core_max),
    KEY(config_cores, "hold", TIME, hold),
    KEY(config_cores, "spool", PATH, spool),
    KEY(config_cores, "spool-max", TEXT, spool_max),
    KEY(config_cores, "at-once", TEXT, at_once),
    KEY(config_cores, "any-limit", FLAG, any_limit),
    KEY(config_cores, "chain", FLAG, chain),
    KEY(config_cores, "pattern", TEXT, pattern),
    KEYS_END,
};
static const struct config_key PODS[] = {
    KEY(config_pods, "node", TEXT, node),
    KEY(config_pods, "api", TEXT, api),
    KEY(config_pods, "account", PATH, account),
    KEY(config_pods, "kubelet", TEXT, kubelet),
    KEY(config_pods, "kubelet-ca", PATH, kubelet_ca),
    KEYS_END,
};
static const struct config_key RULE[] = {
    REQUIRED(rule_keys, "name", TEXT, name),
    REQUIRED(rule_keys, "namespaces", LIST, namespaces),
    REQUIRED(rule_keys, "destination", TEXT, destination),
    KEY(rule_keys, "labels", NODE, labels),
    KEY(rule_keys, "annotations", NODE, annotations),
    KEY(rule_keys, "watch", FLAG, watch),
    KEY(rule_keys, "kills", FLAG, kills),
    KEY(rule_keys, "guard", NODE, guard),
    KEY(rule_keys, "cores", FLAG, cores),
    KEY(rule_keys, "requests", FLAG, requests),
    KEY(rule_keys, "arm", TEXT, arm),
    KEYS_END,
};
static const struct config_key REQUESTS[] = {
    REQUIRED(config_requests, "url", TEXT, url),
    KEY(config_requests, "ca-file", PATH, ca_file),
    KEY(config_requests, "credentials", PATH, credentials),
    KEYS_END,
};

/* Names become parts of paths and of lines of the log. */
static bool is_name(const char *text)
{
    return *text && *text != '-' && strlen(text) <= NAME_MAX_BYTES &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

static void check_url(struct config_destination *d, unsigned line, struct config_errors *errors)
{
    CLEANUP(url_done) struct url u = {0};
    struct err e = {0};

    if (url_parse(d->url, &u, &e) < 0) {
        config_errors_add(errors, line, "url: %s", e.msg);
        return;
    }
    d->is_http = u.scheme == URL_HTTP || u.scheme == URL_HTTPS;
}

static void read_destinations(struct config *c, const struct config_node *n, struct config_errors *errors)
{
    if (n->kind != CONFIG_MAP || n->count == 0) {
        config_errors_add(errors, n->line, "destinations: \"NAME:\" is needed here, and below it \"url: ...\"");
        return;
    }
    if (n->count > CONFIG_DESTINATIONS_MAX) {
        config_errors_add(errors, n->line, "more than 32 destinations");
        return;
    }
    for (size_t i = 0; i < n->count; i++) {
        struct config_destination *d = &c->destination[c->destinations++];

        *d = (struct config_destination){.name = n->entry[i].key, .line = n->entry[i].line};
        if (!is_name(d->name))
            config_errors_add(errors, d->line,
                              "destination \"%s\": a name has at most 40 lower-case letters, digits and \"-\"",
                              d->name);
        if (config_keys_read(n->entry[i].value, DESTINATION, "a destination", d, errors))
            check_url(d, d->line, errors);
        config_limits_check_rate(d->bandwidth, d->line, errors);
    }
}

static void read_watch(struct config *c, const struct config_node *n, struct config_errors *errors)
{
    if (!config_keys_read(n, WATCH, "watch", &c->watch, errors))
        return;
    if (c->watch.trees.count == 0 && !c->watch.volumes)
        config_errors_add(errors, n->line, "watch needs \"trees\", or \"volumes: true\"");
    if (c->watch.trees.count > CONFIG_TREES_MAX)
        config_errors_add(errors, n->line, "trees: more than 8");
    for (unsigned i = 0; i < c->watch.trees.count; i++)
        if (c->watch.trees.item[i][0] != '/')
            config_errors_add(errors, n->line, "trees: \"%s\": an absolute path is needed", c->watch.trees.item[i]);
}

/* The server's address: a path behind it is of a proxy in front. */
static void read_requests(struct config *c, const struct config_node *n, struct config_errors *errors)
{
    struct url_parts u;

    c->requests.line = n->line;
    if (!config_keys_read(n, REQUESTS, "requests", &c->requests, errors))
        return;
    if (url_split(c->requests.url, &u) < 0 || strpbrk(c->requests.url, "?#@"))
        config_errors_add(errors, n->line, "requests: url: \"%s\" is no address of a server (https://...)",
                          c->requests.url);
}

/* `guard: false` is off, `guard: true` what is inherited; keys override it one by one. */
static void read_guard(struct config_guard *g, const struct config_node *n, struct config_errors *errors)
{
    if (n->kind == CONFIG_TEXT && config_keys_flag(n->text, &g->on))
        return;
    g->on = true;
    config_keys_read(n, GUARD, "guard", g, errors);
}

/* `cores: true` is what there is by default. */
static void read_cores(struct config_cores *k, const struct config_node *n, struct config_errors *errors)
{
    k->line = n->line;
    if (n->kind == CONFIG_TEXT && config_keys_flag(n->text, &k->on))
        return;
    k->on = true;
    if (config_keys_read(n, CORES, "cores", k, errors) && k->pattern && !text_eq(k->pattern, "pipe") &&
        !text_eq(k->pattern, "socket"))
        config_errors_add(errors, n->line, "cores: pattern: pipe or socket");
}

/* `pods: false`: they are known by their namespaces alone. */
static void read_pods(struct config_pods *p, const struct config_node *n, struct config_errors *errors)
{
    struct url_parts u;

    if (n->kind == CONFIG_TEXT && config_keys_flag(n->text, &p->on))
        return;
    p->on = true;
    if (!config_keys_read(n, PODS, "pods", p, errors))
        return;
    if (p->api && (url_split(p->api, &u) < 0 || *u.path))
        config_errors_add(errors, n->line, "pods: api: \"https://HOST:PORT\" is needed");
    if (p->kubelet && (url_split(p->kubelet, &u) < 0 || *u.path))
        config_errors_add(errors, n->line, "pods: kubelet: \"https://HOST:PORT\" is needed");
}

/* A map of texts: labels, annotations. */
static void read_pairs(struct config_pairs *ret, const struct config_node *n, const char *what,
                       struct config_errors *errors)
{
    if (n->kind != CONFIG_MAP || n->count == 0) {
        config_errors_add(errors, n->line, "%s: \"NAME: VALUE\" is needed below it; \"*\" is any value", what);
        return;
    }
    if (n->count > CONFIG_PAIRS_MAX) {
        config_errors_add(errors, n->line, "%s: more than 16", what);
        return;
    }
    for (size_t i = 0; i < n->count; i++) {
        const struct config_entry *entry = &n->entry[i];

        if (entry->value->kind != CONFIG_TEXT || strchr(entry->key, '='))
            config_errors_add(errors, entry->line,
                              "%s: %s: a text is needed (numbers and true in quotes are texts, too)", what, entry->key);
        else
            ret->item[ret->count++] = (struct config_pair){.name = entry->key, .value = entry->value->text};
    }
}

/* fnmatch(3) of names by RFC 1123. A '!' at the start would mean "not" for watch and guard. */
static void check_namespaces(const struct config_rule *rule, struct config_errors *errors)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-*?[]!";

    for (unsigned i = 0; i < rule->namespaces.count; i++) {
        const char *glob = rule->namespaces.item[i];

        if (strspn(glob, allowed) != strlen(glob) || *glob == '!' || strlen(glob) > 63)
            config_errors_add(errors, rule->line,
                              "namespaces: \"%s\": a name or glob has at most 63 of a-z 0-9 - * ? [ ]", glob);
    }
}

static const struct config_destination *find_destination(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->destinations; i++)
        if (text_eq(c->destination[i].name, name))
            return &c->destination[i];
    return NULL;
}

static void refuse_destination(const struct config *c, const char *name, unsigned line, struct config_errors *errors)
{
    const char *names[CONFIG_DESTINATIONS_MAX + 1] = {NULL}, *near;

    for (size_t i = 0; i < c->destinations; i++)
        names[i] = c->destination[i].name;
    near = text_nearest(name, names);
    config_errors_add(errors, line,
                      near ? "there is no destination \"%s\"; did you mean \"%s\"?" : "there is no destination \"%s\"",
                      name, near);
}

static bool is_known_rule(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->rules; i++)
        if (text_eq(c->rule[i].name, name))
            return true;
    return false;
}

/* A dump that nothing watches would fill the pod's disk. */
static void read_arm(const struct config *c, const struct rule_keys *keys, struct config_rule *rule,
                     struct config_errors *errors)
{
    bool all = false, watched = rule->watch && c->watch.trees.count > 0;

    if (!keys->arm)
        rule->arm = c->arm && watched ? CONFIG_ARM_ASKED : CONFIG_ARM_NONE;
    else if (!config_keys_flag(keys->arm, &all))
        config_errors_add(errors, rule->line, "arm: true or false is needed");
    else if (all && !watched)
        config_errors_add(errors, rule->line, "arm: where would the dumps go? Nothing is watched by this rule");
    else
        rule->arm = all ? CONFIG_ARM_ALL : CONFIG_ARM_NONE;
}

static bool is_watched(const struct config *c)
{
    return c->watch.trees.count > 0 || c->watch.volumes;
}

static void read_rule(struct config *c, const struct config_node *n, struct config_errors *errors)
{
    struct rule_keys keys = {
        .watch = is_watched(c), .cores = c->cores.on, .kills = c->kills, .requests = c->requests.url != NULL};
    struct config_rule rule = {.guard = c->guard, .line = n->line};

    if (!config_keys_read(n, RULE, "a rule", &keys, errors))
        return;
    rule.name = keys.name;
    rule.namespaces = keys.namespaces;
    rule.watch = keys.watch;
    rule.kills = keys.kills;
    rule.cores = keys.cores;
    rule.requests = keys.requests;
    read_arm(c, &keys, &rule, errors);
    rule.to = find_destination(c, keys.destination);
    if (!is_name(rule.name))
        config_errors_add(errors, n->line, "rule \"%s\": a name has at most 40 lower-case letters, digits and \"-\"",
                          rule.name);
    if (is_known_rule(c, rule.name))
        config_errors_add(errors, n->line, "there are two rules \"%s\"", rule.name);
    check_namespaces(&rule, errors);
    if (keys.labels)
        read_pairs(&rule.labels, keys.labels, "labels", errors);
    if (keys.annotations)
        read_pairs(&rule.annotations, keys.annotations, "annotations", errors);
    if ((keys.labels || keys.annotations) && !c->pods.on)
        config_errors_add(errors, n->line, "labels, annotations: they are not known with \"pods: false\"");
    if (!rule.to)
        refuse_destination(c, keys.destination, n->line, errors);
    if (keys.guard)
        read_guard(&rule.guard, keys.guard, errors);
    if (rule.watch && !is_watched(c))
        config_errors_add(errors, n->line, "watch: which folder? \"watch: {trees: [...]}\" is missing at the top");
    if (rule.cores && !c->cores.on)
        config_errors_add(errors, n->line, "cores: \"cores: true\" is missing at the top");
    c->rule[c->rules++] = rule;
}

static void read_rules(struct config *c, const struct config_node *n, struct config_errors *errors)
{
    unsigned globs = 0;

    if (n->kind != CONFIG_LIST || n->count == 0) {
        config_errors_add(errors, n->line, "rules: a list is needed: \"- name: ...\"");
        return;
    }
    if (n->count > CONFIG_RULES_MAX) {
        config_errors_add(errors, n->line, "more than 64 rules");
        return;
    }
    for (size_t i = 0; i < n->count; i++)
        read_rule(c, n->entry[i].value, errors);
    for (size_t i = 0; i < c->rules; i++)
        globs += c->rule[i].namespaces.count;
    /* Each watch and guard gets all of them (node/components.h). */
    if (globs > OPT_LIST_MAX)
        config_errors_add(errors, n->line, "namespaces: more than 64 in all rules");
}

static void read_all(struct config *c, struct config_errors *errors)
{
    struct top top = {.grace_ms = GRACE_MS, .kubelet = "/var/lib/kubelet"};

    config_keys_read(c->tree, TOP, "the configuration", &top, errors);
    c->kills = top.kills;
    c->notify = top.notify;
    c->state = top.state;
    c->pod_logs = top.pod_logs;
    c->kubelet = top.kubelet;
    c->metrics = top.metrics;
    c->grace_ms = top.grace_ms;
    if (top.grace_ms > GRACE_MOST_MS)
        config_errors_add(errors, c->tree->line, "grace: at most 1h");
    if (top.destinations)
        read_destinations(c, top.destinations, errors);
    if (top.watch)
        read_watch(c, top.watch, errors);
    if (top.guard)
        read_guard(&c->guard, top.guard, errors);
    if (top.cores)
        read_cores(&c->cores, top.cores, errors);
    if (top.limits)
        config_limits_read(top.limits, &c->limits, errors);
    if (top.limits && c->limits.disk > 0 && c->watch.retain_bytes)
        config_errors_add(errors, top.limits->line,
                          "disk: each watch gets its part of it: take \"retain-bytes\" out of \"watch\"");
    c->pods.on = true;
    c->arm = top.arm;
    if (top.pods)
        read_pods(&c->pods, top.pods, errors);
    if (top.requests)
        read_requests(c, top.requests, errors);
    if (top.watch && c->watch.volumes && !c->pods.on)
        config_errors_add(errors, top.watch->line, "watch: volumes: annotations are not known with \"pods: false\"");
    if (top.rules)
        read_rules(c, top.rules, errors);
}

int config_read(const char *data, size_t size, struct config **ret, struct config_errors *errors)
{
    CLEANUP(config_free_ptr) struct config *c = calloc(1, sizeof(*c));
    int r;

    assert(data && ret && errors);
    if (!c)
        return -ENOMEM;
    if ((r = config_tree_read(data, size, &c->tree, errors)) < 0)
        return r;
    read_all(c, errors);
    if (errors->count > 0)
        return -EINVAL;
    if (!(c->run = run_folder_path(c->state)))
        return -ENOMEM;
    *ret = TAKE_PTR(c);
    return 0;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    config_tree_free(c->tree);
    free(c->run);
    free(c);
}
