/* SPDX-License-Identifier: Apache-2.0
 *
 * One attempt of a job, shared by the job*.c files.
 */
#pragma once

#include "codec/blocks.h"
#include "codec/digest.h"
#include "place/origin.h"
#include "ship/checkpoint.h"
#include "ship/digest_stage.h"
#include "ship/job.h"
#include "ship/part_assembly.h"

enum {
    JOB_BLOCK_SIZE = 512 * 1024,            /* measured: the best of ratio and speed at zstd:1 */
    JOB_DIGESTS_MAX = PLAN_THREADS_MAX + 8, /* more than blocks can be under way */
    JOB_GROWTH_POLL_MS = 20
};

/* All that one attempt holds; freed by attempt_done. */
struct attempt {
    const struct job *job;
    struct codec codec;
    struct facts facts;
    struct origin origin;
    char *key;
    struct intake intake;
    struct checkpoint *checkpoint;
    struct blocks *blocks;
    struct digest digest_at[JOB_DIGESTS_MAX]; /* a ring: the file's running digest behind each block under way */
    uint64_t submitted, assembled;            /* blocks */
    struct part_assembly *assembly;
    struct upload *upload;
    struct object object;
    uint64_t part_size;
    struct upload_events events;
    struct digest_stage *digest; /* NULL: none */
    const char *verified;        /* for the manifest: "read" or "put" */
    bool committed;

    bool behind; /* a stream is being read ahead, and all that is behind the reading runs while nothing else does */

    bool unchecked; /* following: blocks that were read while the file grew are being compared */

    /* An earlier attempt's upload, if it is resumed. */
    struct journal journal;
    struct upload_past past;
    const char **part_etags;
    uint64_t *sizes;
    char past_digest[DIGEST_HEX_MAX];
};

static inline const struct sink_ops *attempt_sink(const struct attempt *a)
{
    return a->job->sink->ops;
}

/* job.c */
int attempt_no_memory(struct err *e);

/* job_analysis.c */

/* --inspect: analyses what was stored, and stores that in its folder, too. */
void job_analyse(const struct job *job, const struct manifest *m);

/* job_digest.c */

/* Once the head is read, and it is known where reading begins. */
void attempt_begin_digest(struct attempt *a);
/* After each block that was read, and at the end. */
void attempt_digest_block(struct attempt *a, const void *block, size_t size);
void attempt_end_digest(struct attempt *a);
/* Stores digest.json, and sets the manifest's summary. 0 also without one; -ENOMEM. */
int attempt_store_digest(struct attempt *a, struct manifest *m, struct err *e);

/* job_manifest.c */

/* 1 if an earlier attempt has stored this object: its manifest is there, and the object has the size it names. */
int attempt_already_stored(struct attempt *a, struct job_result *ret, struct err *e);

/* Fills in *m, and puts it beside the object. */
int attempt_write_manifest(struct attempt *a, const struct whole *whole, struct manifest *m, struct err *e);

/* job_resume.c */

/* The journal's head for this attempt; borrows from it and from codec_text. Size and time of a file that still grows
 * are left out: such a head fits no complete file. */
void attempt_journal_head(const struct attempt *a, char codec_text[32], struct journal_head *ret);

/* Opens the upload: resumes the one of an earlier attempt where its journal fits, else begins a new one, and the store
 * is asked to drop the old one. */
int attempt_begin_upload(struct attempt *a, struct err *e);

/* job_buffered.c: a stream that is read ahead */

/* Once the intake is open, before threads are started. */
void buffered_begin(struct attempt *a);
/* Several times a second. */
void buffered_catch_up(struct attempt *a);

/* job_following.c: a file that is shipped while its writer still writes it */

/* Until the file is complete, one processor is left to its writer. */
void following_begin(struct attempt *a);

/* Waits up to delay_ms for the file to become complete: 1 it is, 0 not yet, negative: the loop wants us to stop. */
int following_poll(const struct job *job, uint64_t delay_ms, struct err *e);

/* The same for an attempt, which treats the file as at rest from then on. 0 or negative. */
int following_wait(struct attempt *a, uint64_t delay_ms, struct err *e);

/* Compares the blocks that were read while the file grew with the complete file, and makes the journal speak of that
 * file once they are equal. wait: until the result is known. 0 also while it is not known; -FAULT_CHANGED. */
int following_recheck(struct attempt *a, bool wait, struct err *e);
