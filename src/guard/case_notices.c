/* SPDX-License-Identifier: Apache-2.0
 *
 * One notice is kept; a more telling piece replaces it.
 */
#include "guard/case_notices.h"

#include <assert.h>

#include "base/mem.h"
#include "ship/case_facts.h"
#include "ship/case_notice.h"

void case_notices_stored(void *ctx, const struct manifest *m)
{
    struct case_notices *n = ctx;
    CLEANUP(notice_done) struct notice notice = {0};
    unsigned rank = case_rank(m->kind ? m->kind : "");

    assert(n->targets && n->plan);
    if (n->folder < 0 || n->targets->count == 0 || (n->notice.id && rank <= n->rank))
        return;
    if (case_notice_of_stored(m, &n->plan->sink, n->public_url, &notice) < 0)
        return; /* an earlier piece's is as good */
    notice_done(&n->notice);
    n->notice = notice;
    n->rank = rank;
    notice = (struct notice){0};
}

void case_notices_put(struct case_notices *n)
{
    assert(n && n->targets && n->plan);
    if (n->notice.id)
        (void)case_notice_queue(&n->notice, n->targets, n->folder);
}

void case_notices_done(struct case_notices *n)
{
    notice_done(&n->notice);
}
