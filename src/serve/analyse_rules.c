/* SPDX-License-Identifier: Apache-2.0
 *
 * --analyse in words.
 */
#include "serve/analyse_rules.h"

#include <assert.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"

static int read_when(const char *text, enum analyse_when *ret)
{
    static const char *const words[] = {
        [ANALYSE_NEVER] = "never", [ANALYSE_REQUEST] = "request", [ANALYSE_OOM] = "oom", [ANALYSE_ALWAYS] = "always"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (text_eq(text, words[i])) {
            *ret = (enum analyse_when)i;
            return 0;
        }
    return -FAULT_USAGE;
}

static int add(struct analyse_rules *r, const char *text, bool *general)
{
    const char *equals = strchr(text, '=');
    size_t size = equals ? (size_t)(equals - text) : 0;
    enum analyse_when when;

    if (read_when(equals ? equals + 1 : text, &when) < 0)
        return -FAULT_USAGE;
    if (!equals) {
        if (*general)
            return -FAULT_USAGE;
        *general = true;
        r->others = when;
        return 0;
    }
    if (size == 0 || size >= ANALYSE_NAMESPACE_MAX || memchr(text, '/', size) || r->count == ANALYSE_RULES_MAX)
        return -FAULT_USAGE;
    for (unsigned i = 0; i < r->count; i++)
        if (strlen(r->rule[i].namespace) == size && memcmp(r->rule[i].namespace, text, size) == 0)
            return -FAULT_USAGE;
    memcpy(r->rule[r->count].namespace, text, size);
    r->rule[r->count++].when = when;
    return 0;
}

int analyse_rules_read(const char *const *texts, unsigned count, struct analyse_rules *ret, struct err *e)
{
    bool general = false;

    assert(ret);
    *ret = (struct analyse_rules){.others = ANALYSE_REQUEST};
    for (unsigned i = 0; i < count; i++)
        if (add(ret, texts[i], &general) < 0)
            return err_set(e, -FAULT_USAGE,
                           "--analyse %s: request, oom, always or never, once for all; for one namespace: shop=oom",
                           texts[i]);
    return 0;
}

enum analyse_when analyse_rule_of(const struct analyse_rules *r, const char *id)
{
    size_t size = strcspn(id, "/");

    for (unsigned i = 0; i < r->count; i++)
        if (strlen(r->rule[i].namespace) == size && memcmp(r->rule[i].namespace, id, size) == 0)
            return r->rule[i].when;
    return r->others;
}
