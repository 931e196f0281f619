/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames gathered into parts: a fixed set of part buffers that go round between the job, which fills them, a thread
 * that digests them and hands them to the sink, and the sink, which sends them. So the job goes on reading while the
 * sink blocks. Keeps the object's running digest and its table of frames, and writes each part that the store has
 * confirmed into the journal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/digest.h"
#include "codec/seektable.h"
#include "ship/checkpoint.h"
#include "store/sink.h"

struct part_assembly;

struct part_assembly_config {
    uint64_t part_size; /* a part is handed on at the first frame end at or behind this */
    uint64_t slack;     /* the largest frame */
    unsigned buffers;   /* parts under way and being filled together */
    unsigned parts_max;
    bool plain; /* the object is the file, byte for byte: its digest is the file's */
};

int part_assembly_new(const struct part_assembly_config *c, struct checkpoint *checkpoint, struct part_assembly **ret);
void part_assembly_free(struct part_assembly *g); /* after the upload is freed: it holds our buffers */

/* Where full parts go from now on: before the first frame is added. The upload is the thread's until part_assembly_stop
 * or part_assembly_finish has returned. */
void part_assembly_start(struct part_assembly *g, const struct sink_ops *ops, struct upload *u);

/* Hands nothing more to the upload, and waits until it is the caller's again. */
void part_assembly_stop(struct part_assembly *g);

/* What is told of a part's way, from whatever thread. */
struct part_assembly_listener {
    void *ctx;
    void (*confirmed)(void *ctx, uint64_t bytes); /* of the file, in confirmed parts; one call at a time */
    void (*waiting)(void *ctx, const struct err *e, uint64_t delay_ms);
};

/* The events to give to the sink's upload; their ctx is the assembly. */
struct upload_events part_assembly_events(struct part_assembly *g, const struct part_assembly_listener *listener);

/* Goes on behind the parts of an earlier run. */
int part_assembly_resume(struct part_assembly *g, const struct journal *j);

/* Adds a frame. raw: the running digest of the file behind this frame. A failure may be that of an earlier part. */
int part_assembly_add(struct part_assembly *g, const void *frame, size_t size, size_t raw_size,
                      const struct digest *raw, struct err *e);

/* The end: table of frames (seekable), then the last part; returns once the upload has taken all of them. */
int part_assembly_finish(struct part_assembly *g, bool seekable, struct err *e);

/* Size and digest of all that was added; after part_assembly_finish. */
void part_assembly_whole(const struct part_assembly *g, struct whole *ret);
uint64_t part_assembly_frames(const struct part_assembly *g);

/* The journal under a new head; see checkpoint_seal. */
void part_assembly_seal(struct part_assembly *g, const struct journal_head *head);
