/* SPDX-License-Identifier: Apache-2.0
 *
 * Following: reading a dump behind the JVM that writes it. When the file is complete, what was read early is compared
 * with it; until then the journal is good for no other attempt.
 */
#include <assert.h>

#include "ship/job_internal.h"

void following_begin(struct attempt *a)
{
    unsigned threads = a->job->plan->threads;

    assert(a->blocks && a->intake.source == INTAKE_GROWING);
    blocks_limit(a->blocks, threads > 1 ? threads - 1 : 1);
}

int following_poll(const struct job *job, uint64_t delay_ms, struct err *e)
{
    int r = job->complete(job->ctx, delay_ms);

    return r < 0 ? err_set(e, r, "stopped while following %s", job->claim->path) : r;
}

int following_wait(struct attempt *a, uint64_t delay_ms, struct err *e)
{
    int r = following_poll(a->job, delay_ms, e);

    assert(a->intake.source == INTAKE_GROWING);
    if (r <= 0)
        return r;
    if ((r = intake_complete(&a->intake, e)) < 0)
        return r;
    a->unchecked = true;
    blocks_limit(a->blocks, a->job->plan->threads);
    return 0;
}

int following_recheck(struct attempt *a, bool wait, struct err *e)
{
    struct journal_head head;
    char codec_text[32];
    int r = a->unchecked ? recheck_result(&a->intake.recheck, wait, e) : 0;

    if (r <= 0)
        return r;
    a->unchecked = false;
    attempt_journal_head(a, codec_text, &head);
    part_assembly_seal(a->assembly, &head);
    return 0;
}
