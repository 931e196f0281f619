/* SPDX-License-Identifier: Apache-2.0
 *
 * Building thread dumps: what the readers of all formats share. A failure (memory, a ceiling) is kept in the builder;
 * whatever is added afterwards is ignored.
 */
#pragma once

#include "threads/thread_dump.h"
#include "threads/thread_pieces.h"
#include "threads/thread_texts.h"

#define BUILD_LAST_FRAME (UINT32_MAX - 1)

struct thread_hint; /* "this lock is held by the thread of that name" */

struct thread_build {
    struct thread_texts *texts;
    struct thread_dump *dump;
    size_t count, capacity;
    size_t threads; /* of all dumps */
    int failed;     /* -ENOMEM or -E2BIG; 0 */

    /* The dump that is open: its last. */
    bool open, in_thread;
    size_t thread_capacity, lock_capacity, frame_capacity, held_capacity;
    uint32_t *lock_slot; /* number + 1 of locks by their id */
    size_t lock_slots;
    struct thread_hint *hint;
    size_t hint_count, hint_capacity;
};

int thread_build_init(struct thread_build *b);
/* Ends the open dump and gives all dumps away. */
int thread_build_end(struct thread_build *b, struct thread_dumps *ret);
void thread_build_done(struct thread_build *b);

/* Begins a dump; ends the one before. */
void build_dump(struct thread_build *b, struct piece time, struct piece jvm);
/* Time and JVM of the open dump, where they come later; empty ones change nothing. */
void build_about(struct thread_build *b, struct piece time, struct piece jvm);
/* Ends the open dump: owners of locks are found. */
void build_dump_end(struct thread_build *b);

/* A new thread, open until the next; NULL if no dump is open or the builder has failed. Valid until the next one. */
struct dumped_thread *build_thread(struct thread_build *b, struct piece name);
/* The open thread, or NULL. */
struct dumped_thread *build_open(const struct thread_build *b);
void build_thread_close(struct thread_build *b);

/* To the open thread; ignored if there is none. */
void build_name(struct thread_build *b, struct piece name);
void build_frame(struct thread_build *b, struct piece frame);
void build_wait(struct thread_build *b, enum thread_wait wait, struct piece id, struct piece class_name);
/* depth: of the frame, THREAD_NONE for a synchronizer; BUILD_LAST_FRAME: the frame that was added last. */
void build_held(struct thread_build *b, struct piece id, struct piece class_name, uint32_t depth);

/* To the open dump: a lock is held by the thread of this name, where the threads' own lines don't say it. */
void build_owner(struct thread_build *b, struct piece id, struct piece class_name, struct piece owner);

enum thread_state thread_state_of(struct piece text);
