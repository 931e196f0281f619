/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies what a notice needs.
 */
#include "ship/case_notice.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/url.h"
#include "ship/case_facts.h"
#include "ship/why.h"

static int copy(char **to, const char *text)
{
    return !text || !*text || (*to = strdup(text)) ? 0 : -ENOMEM;
}

/* "https://salvage.example/-/case/shop/cart-1/…" */
static int link_to(const char *id, const char *public_url, char **ret)
{
    CLEANUP_FREE char *encoded = url_encode(id, strlen(id), 1);

    if (!encoded || asprintf(ret, "%s/-/case/%s", public_url, encoded) < 0) {
        *ret = NULL;
        return -ENOMEM;
    }
    return 0;
}

int case_notice(const struct manifest *m, const char *object_url, const char *public_url, struct notice *ret)
{
    char sentence[WHY_MAX], workload[WORKLOAD_MAX];

    assert(m && m->key && ret && !ret->id);
    ret->time_ns = m->time.modified ? m->time.modified : m->time.shipped;
    ret->size = m->size;
    ret->stored_size = m->stored_size;
    if (!(ret->id = case_id(m->key)) || !(ret->namespace = case_namespace(m->key)) ||
        copy(&ret->sentence, why_sentence(m, sentence)) < 0 || copy(&ret->place, m->where.place) < 0 ||
        copy(&ret->workload, case_workload(m, workload)) < 0 || copy(&ret->pod, m->where.pod) < 0 ||
        copy(&ret->container, m->where.container) < 0 || copy(&ret->cause, m->cause) < 0 ||
        copy(&ret->kind, m->kind) < 0 || copy(&ret->object, object_url) < 0 ||
        (public_url && link_to(ret->id, public_url, &ret->link) < 0))
        return -ENOMEM;
    return 0;
}
