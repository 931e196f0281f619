/* SPDX-License-Identifier: Apache-2.0
 *
 * From the first rule on.
 */
#include "node/pod_rules.h"

#include <assert.h>
#include <errno.h>

#include "base/glob_list.h"
#include "base/text.h"

static bool fits_pairs(const struct config_pairs *wanted, const struct strv *have)
{
    for (unsigned i = 0; i < wanted->count; i++) {
        const char *value = pod_row_value(have, wanted->item[i].name);

        if (!value || (!text_eq(wanted->item[i].value, "*") && !text_eq(wanted->item[i].value, value)))
            return false;
    }
    return true;
}

bool pod_rules_asks(const struct config_rule *r)
{
    return r->labels.count > 0 || r->annotations.count > 0;
}

int pod_rules_find(const struct config *c, const struct pod_row *p, bool wait)
{
    assert(c && p);
    for (size_t i = 0; i < c->rules; i++) {
        const struct config_rule *r = &c->rule[i];

        if (!glob_list_selects(&r->namespaces, p->namespace))
            continue;
        if (!pod_rules_asks(r))
            return (int)i;
        if (!p->known && wait)
            return POD_RULE_PENDING;
        if (p->known && fits_pairs(&r->labels, &p->labels) && fits_pairs(&r->annotations, &p->annotations))
            return (int)i;
    }
    return POD_RULE_NONE;
}

bool pod_rules_ask_labels(const struct config *c)
{
    for (size_t i = 0; i < c->rules; i++)
        if (pod_rules_asks(&c->rule[i]))
            return true;
    return false;
}

static bool is_listed(const struct strv *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_eq(names->item[i], name))
            return true;
    return false;
}

int pod_rules_annotations(const struct config *c, struct strv *ret)
{
    for (size_t i = 0; i < c->rules; i++)
        for (unsigned k = 0; k < c->rule[i].annotations.count; k++) {
            const char *name = c->rule[i].annotations.item[k].name;

            if (!text_starts(name, POD_ANNOTATION_PREFIX) && !is_listed(ret, name) && strv_add(ret, name) < 0)
                return -ENOMEM;
        }
    return 0;
}
