/* SPDX-License-Identifier: Apache-2.0
 *
 * Compares what a process's environment says with what we know of ourselves.
 */
#include "ship/evidence_owner.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "place/container.h"
#include "place/containerid.h"

/* All containers of a pod have one host name. A sidecar whose environment names its pod keeps those names; a debug
 * container has none, and takes those of the process. */
static bool names_are_better(const struct whoami *self, const struct whoami *names)
{
    if (!text_eq(names->host, self->host))
        return true;
    return (names->namespace && !self->namespace) || (names->pod && !self->pod);
}

/* The pod's UID is part of its cgroup's name, and often missing in its environment. */
static int add_pod_uid(const struct proc *p, struct whoami *w)
{
    char uid[PODUID_MAX];

    if (w->pod_uid || !container_pod(p->fd, uid))
        return 0;
    w->pod_uid = strdup(uid);
    return w->pod_uid ? 0 : -ENOMEM;
}

void evidence_owner_set(struct shipping *s, const struct proc *p, struct whoami *its)
{
    static const struct facts nothing;
    CLEANUP(whoami_done) struct whoami names = {0};

    assert(s->who && s->facts);
    if (whoami_of_process(p, &names) < 0 || !names_are_better(s->who, &names) ||
        !(names.machine = strdup(s->who->machine)) ||
        (!names.node && s->who->node && !(names.node = strdup(s->who->node))) || add_pod_uid(p, &names) < 0)
        return;
    *its = names;
    names = (struct whoami){0};
    s->who = its;
    s->facts = &nothing;
}
