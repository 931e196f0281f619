/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts compressed frames together into parts. A fixed set of part buffers circulates: the job fills them, a thread
 * digests them and hands them to the sink, the sink sends them and returns them. So the job goes on reading while the
 * sink blocks. Has the object's running digest and its table of frames, and writes each part that the store has
 * confirmed into the journal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/blocks.h"
#include "codec/digest.h"
#include "codec/seektable.h"
#include "ship/checkpoint.h"
#include "store/sink.h"

struct part_assembly;

struct part_assembly_config {
    uint64_t part_size; /* a part is complete at the first end of a frame at or behind this */
    uint64_t slack;     /* the largest frame */
    unsigned buffers;   /* parts that are filled or sent at one time */
    unsigned parts_max;
    bool plain; /* the object is the file, byte for byte: its digest is the file's */
};

int part_assembly_new(const struct part_assembly_config *c, struct checkpoint *checkpoint, struct part_assembly **ret);
void part_assembly_free(struct part_assembly *g); /* after the upload is freed: it uses our buffers */

/* Sets the upload that complete parts go to; before the first frame is added. The upload belongs to the thread until
 * part_assembly_stop or part_assembly_finish has returned. */
void part_assembly_start(struct part_assembly *g, const struct sink_ops *ops, struct upload *u);

/* Hands nothing more to the upload, and waits until the thread no longer uses it. */
void part_assembly_stop(struct part_assembly *g);

/* Progress of the parts; called from any thread. */
struct part_assembly_listener {
    void *ctx;
    void (*confirmed)(void *ctx, uint64_t bytes); /* of the file, in confirmed parts; never two calls at once */
    void (*waiting)(void *ctx, const struct err *e, uint64_t delay_ms);
};

/* The callbacks for the sink's upload; their ctx is the assembly. */
struct upload_events part_assembly_events(struct part_assembly *g, const struct part_assembly_listener *listener);

/* Continues behind the parts of an earlier attempt. 0; -EBADMSG for a damaged digest; -ENOMEM. */
int part_assembly_resume(struct part_assembly *g, const struct journal *j);

/* Adds a frame (copied). raw: the file's running digest behind it. The failure may be that of an earlier part. */
int part_assembly_add(struct part_assembly *g, const struct encoded *frame, const struct digest *raw, struct err *e);

/* Adds the table of frames (seekable) and sends the last part; returns once the upload has taken all parts. */
int part_assembly_finish(struct part_assembly *g, bool seekable, struct err *e);

/* Size and digest of the object; after part_assembly_finish. */
void part_assembly_whole(const struct part_assembly *g, struct whole *ret);

/* Gives the journal a new head; see checkpoint_seal. */
void part_assembly_seal(struct part_assembly *g, const struct journal_head *head);
