/* SPDX-License-Identifier: Apache-2.0
 *
 * --inspect: once the evidence is stored, and while its local copy is still there. What fails here costs the analysis
 * alone.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/analysis.h"
#include "ship/job_internal.h"
#include "ship/key_template.h"

static int analyse(const struct job *job, const struct manifest *m, struct err *e)
{
    const struct analysis_order order = {.fds = &job->fd,
                                         .fd_count = 1,
                                         .size = m->size,
                                         .name = text_base_name(m->key),
                                         .memory = job->plan->memory,
                                         .temporary = -1,
                                         .stop = job->hurry,
                                         .ctx = job->ctx};
    CLEANUP(analysis_answer_done) struct analysis_answer a = {0};
    char memory[TEXT_SIZE_MAX];
    int r = analysis_make(&order, &a, e);

    if (r == -ENOMEM) {
        const struct err why = *e;

        return err_set(e, r, "it takes more than --memory %s: %.600s", text_format_size(job->plan->memory, memory),
                       why.msg);
    }
    if (r == 0 && a.unfiltered && job->unfiltered)
        job->unfiltered(job->ctx);
    return r < 0 ? r : analysis_store(job->sink, m->key, &a, e);
}

static bool is_plain_dump(const struct job *job)
{
    enum content content = kind_read_content(job->fd);

    return content == CONTENT_HPROF || content == CONTENT_PHD;
}

void job_analyse(const struct job *job, const struct manifest *m)
{
    struct err e = {0};

    assert(job->fd >= 0 && m->key);
    /* Elsewhere two dumps could have one folder. A dump that was compressed before is not unpacked for this. */
    if (!job->plan->inspect || !is_plain_dump(job) || !template_match(TEMPLATE_DEFAULT, m->key))
        return;
    if (analyse(job, m, &e) < 0 && job->unanalysed)
        job->unanalysed(job->ctx, e.msg);
}
