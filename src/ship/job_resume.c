/* SPDX-License-Identifier: Apache-2.0
 *
 * Where an attempt's upload begins: behind the last part that an earlier attempt has confirmed, or at the file's
 * beginning.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "ship/job_internal.h"

void attempt_journal_head(const struct attempt *a, char codec_text[32], struct journal_head *ret)
{
    bool at_rest = a->intake.source == INTAKE_FILE;

    *ret = (struct journal_head){
        .store = (char *)a->job->plan->store,
        .key = a->key,
        .codec = (char *)codec_format(&a->codec, codec_text),
        .block_size = JOB_BLOCK_SIZE,
        .part_size = a->part_size,
        .file_size = at_rest ? a->intake.identity.size : 0,
        .file_mtime_ns = at_rest ? a->intake.identity.mtime_ns : 0,
    };
}

static int journal_is_damaged(const struct attempt *a, int result, struct err *e)
{
    return err_set(e, result, "the journal of %s is damaged", a->job->claim->path);
}

/* The confirmed parts in the form in which the sink takes them. */
static int list_parts(struct attempt *a, struct err *e)
{
    const struct journal *j = &a->journal;
    const struct journal_part *last = &j->parts[j->count - 1];
    struct digest d;

    a->part_etags = calloc(j->count, sizeof(*a->part_etags));
    a->sizes = calloc(j->count, sizeof(*a->sizes));
    if (!a->part_etags || !a->sizes)
        return attempt_no_memory(e);
    for (size_t i = 0; i < j->count; i++) {
        a->part_etags[i] = j->parts[i].etag;
        a->sizes[i] = j->parts[i].size;
    }
    if (digest_load(&d, last->stored_digest) < 0)
        return journal_is_damaged(a, -FAULT_FORMAT, e);
    digest_hex(&d, a->past_digest);
    a->past = (struct upload_past){.token = j->token,
                                   .count = (unsigned)j->count,
                                   .etags = a->part_etags,
                                   .sizes = a->sizes,
                                   .stored_end = last->stored_end,
                                   .stored_digest = a->past_digest};
    return 0;
}

static int resume_upload(struct attempt *a, const struct journal_head *head, struct err *e)
{
    const struct job *job = a->job;
    const struct journal *j = &a->journal;
    const struct journal_part *last = &j->parts[j->count - 1];
    struct upload_start start = {.object = &a->object, .past = &a->past, .events = &a->events};
    int r;

    if ((r = list_parts(a, e)) < 0 || (r = attempt_sink(a)->upload_new(job->sink, &start, &a->upload, e)) < 0 ||
        (r = intake_resume(&a->intake, last->raw_end, last->raw_digest, e)) < 0)
        return r;
    if ((r = part_assembly_resume(a->assembly, j)) < 0)
        return journal_is_damaged(a, r, e);
    part_assembly_seal(a->assembly, head);
    if (job->resumed)
        job->resumed(job->ctx, a->past.stored_end);
    return 0;
}

static bool is_resumable(const struct attempt *a, const struct journal_head *head)
{
    return a->journal.count > 0 && attempt_sink(a)->resumes && a->intake.source == INTAKE_FILE &&
           journal_head_same(head, &a->journal.head);
}

/* Best effort: the store may have dropped it long ago. */
static void drop_upload(const struct attempt *a, const char *store)
{
    struct err ignored;

    if (a->journal.token && attempt_sink(a)->abort_token && text_eq(a->journal.head.store, store))
        attempt_sink(a)->abort_token(a->job->sink, a->journal.head.key, a->journal.token, &ignored);
}

int attempt_begin_upload(struct attempt *a, struct err *e)
{
    bool have = checkpoint_load(a->checkpoint, &a->journal) == 0;
    struct journal_head head;
    char codec_text[32];
    int r;

    assert(a->key && a->assembly && a->checkpoint && !a->upload);
    attempt_journal_head(a, codec_text, &head);
    if (have && is_resumable(a, &head) && (r = resume_upload(a, &head, e)) != -FAULT_GONE)
        return r;
    if (have)
        drop_upload(a, head.store);
    checkpoint_begin(a->checkpoint, &head);
    return attempt_sink(a)->upload_new(a->job->sink, &(struct upload_start){.object = &a->object, .events = &a->events},
                                       &a->upload, e);
}
