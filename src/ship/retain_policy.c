/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What of a store is kept, in words.
 */
#include "ship/retain_policy.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { NAMESPACE_MAX = 255 };

static int parse_count(const char *text, uint64_t *ret)
{
    return text_parse_uint(text, UINT32_MAX, ret);
}

static const struct {
    const char *name;
    size_t offset;
    int (*parse)(const char *text, uint64_t *ret);
} LIMITS[] = {
    {"age", offsetof(struct retain_limits, age_ms), text_parse_duration},
    {"count", offsetof(struct retain_limits, count), parse_count},
    {"bytes", offsetof(struct retain_limits, bytes), text_parse_size},
    {"free", offsetof(struct retain_limits, free), text_parse_size},
};

/* "age=30d": false if it is not so, 0, or given twice. */
static bool parse_limit(char *word, struct retain_limits *l)
{
    char *equals = strchr(word, '=');

    if (!equals)
        return false;
    *equals = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(LIMITS); i++) {
        uint64_t *to = (uint64_t *)((char *)l + LIMITS[i].offset);

        if (text_eq(word, LIMITS[i].name))
            return *to == 0 && LIMITS[i].parse(equals + 1, to) == 0 && *to > 0;
    }
    return false;
}

static bool parse_limits(char *text, struct retain_limits *l)
{
    char *place = NULL;

    if (!*text || *text == ',' || text[strlen(text) - 1] == ',' || strstr(text, ",,"))
        return false;
    for (char *word = strtok_r(text, ",", &place); word; word = strtok_r(NULL, ",", &place))
        if (!parse_limit(word, l))
            return false;
    return true;
}

static const struct retain_rule *find(const struct retain_policy *p, const char *name, size_t size)
{
    for (unsigned i = 0; i < p->count; i++) {
        const char *namespace = p->rule[i].namespace;

        if (name ? namespace && strlen(namespace) == size && memcmp(namespace, name, size) == 0 : !namespace)
            return &p->rule[i];
    }
    return NULL;
}

const struct retain_rule *retain_rule_of(const struct retain_policy *p, const char *name, size_t size)
{
    return find(p, name, size);
}

const struct retain_rule *retain_rule_general(const struct retain_policy *p)
{
    return find(p, NULL, 0);
}

int retain_policy_add(struct retain_policy *p, const char *text, struct err *e)
{
    const char *colon = strchr(text, ':');
    size_t size = colon ? (size_t)(colon - text) : 0;
    CLEANUP_FREE char *namespace = colon ? strndup(text, size) : NULL;
    CLEANUP_FREE char *limits = strdup(colon ? colon + 1 : text);
    struct retain_rule rule = {0};

    if (!limits || (colon && !namespace))
        return err_set(e, -ENOMEM, "out of memory");
    if ((colon && (size == 0 || size > NAMESPACE_MAX || strchr(namespace, '/'))) || !parse_limits(limits, &rule.limits))
        return err_set(e, -FAULT_USAGE,
                       "--retain %s: give limits, as in age=30d,count=20,bytes=500G,free=10G, or those of a namespace: "
                       "shop:age=90d,bytes=50G",
                       text);
    if (namespace && rule.limits.free > 0)
        return err_set(e, -FAULT_USAGE, "--retain %s: free= is for the whole store, not for a namespace", text);
    if (find(p, namespace, size))
        return err_set(e, -FAULT_USAGE, "--retain %s: the second rule for %s", text,
                       namespace ? namespace : "the whole store");
    if (p->count == RETAIN_RULES_MAX)
        return err_set(e, -FAULT_USAGE, "--retain %s: more than %d rules", text, RETAIN_RULES_MAX);
    rule.namespace = TAKE_PTR(namespace);
    p->rule[p->count++] = rule;
    return 0;
}

int retain_policy_read(struct retain_policy *p, const char *const *texts, unsigned count, struct err *e)
{
    int r = 0;

    for (unsigned i = 0; r == 0 && i < count; i++)
        r = retain_policy_add(p, texts[i], e);
    return r;
}

void retain_policy_done(struct retain_policy *p)
{
    for (unsigned i = 0; i < p->count; i++)
        free(p->rule[i].namespace);
    *p = (struct retain_policy){0};
}
