/* SPDX-License-Identifier: Apache-2.0
 *
 * A rule is KEY=VALUE; cgroups and names are matched by fnmatch(3), where * passes over '/', too.
 */
#include "node/core_rules.h"

#include <fnmatch.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/key_template.h"

enum { AT_ONCE_MAX = 32 };

static const char *value_of(const char *rule, const char *key)
{
    size_t size = strlen(key);

    return strncmp(rule, key, size) == 0 && rule[size] == '=' && rule[size + 1] ? rule + size + 1 : NULL;
}

static bool matches(const char *rule, const struct core_subject *s)
{
    const char *value;
    uint64_t uid;

    if ((value = value_of(rule, "cgroup")))
        return fnmatch(value, s->cgroup, 0) == 0;
    if ((value = value_of(rule, "program")))
        return fnmatch(value, s->program, 0) == 0;
    value = value_of(rule, "uid");
    return value && text_parse_uint(value, UINT32_MAX, &uid) == 0 && uid == s->uid;
}

static bool any_matches(const struct opt_list *rules, const struct core_subject *s)
{
    for (unsigned i = 0; i < rules->count; i++)
        if (matches(rules->item[i], s))
            return true;
    return false;
}

const char *core_rules_refuse(const struct core_rules *r, const struct core_subject *s)
{
    if (any_matches(&r->ignore, s))
        return "--ignore names it";
    if (r->only.count > 0 && !any_matches(&r->only, s))
        return "--only does not name it";
    if (s->limit == 0 && !r->any_limit)
        return "its RLIMIT_CORE is 0";
    return NULL;
}

static int check_rules(const char *option, const struct opt_list *rules, struct err *e)
{
    for (unsigned i = 0; i < rules->count; i++) {
        const char *rule = rules->item[i], *uid = value_of(rule, "uid");
        uint64_t number;

        if (uid ? text_parse_uint(uid, UINT32_MAX, &number) < 0
                : !value_of(rule, "cgroup") && !value_of(rule, "program"))
            return err_set(e, -FAULT_USAGE, "--%s: '%s': write cgroup=GLOB, uid=NUMBER or program=GLOB", option, rule);
    }
    return 0;
}

/* The kernel starts the handler in the root folder. */
static int check_paths(const struct core_rules *r, struct err *e)
{
    const struct {
        const char *option, *path;
    } paths[] = {{"spool", r->spool},
                 {"ca-file", r->plan.ca_file},
                 {"credentials-file", r->plan.credentials_file},
                 {"state", r->plan.state}};

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        if (paths[i].path && paths[i].path[0] != '/')
            return err_set(e, -FAULT_USAGE, "--%s: '%s' must be an absolute path: the kernel starts the handler in /",
                           paths[i].option, paths[i].path);
    return 0;
}

int core_rules_check(const struct core_rules *r, struct rate *ret_rate, struct err *e)
{
    int result;

    if ((result = check_rules("only", &r->only, e)) < 0 || (result = check_rules("ignore", &r->ignore, e)) < 0 ||
        (result = check_paths(r, e)) < 0)
        return result;
    if (r->at_once == 0 || r->at_once > AT_ONCE_MAX)
        return err_set(e, -FAULT_USAGE, "--at-once: 1 to %d", AT_ONCE_MAX);
    if (r->hold_ms == 0)
        return err_set(e, -FAULT_USAGE, "--hold must be greater than 0");
    if ((result = rate_parse(r->rate, ret_rate, e)) < 0)
        return err_prefix(e, result, "--rate");
    return 0;
}
