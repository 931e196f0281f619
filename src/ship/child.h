/* SPDX-License-Identifier: Apache-2.0
 *
 * One of our processes, seen from the loop: started from our own executable, with a socket pair for messages
 * (ship/wire.h), and finished when the loop has closed all its handles. One process at a time. The owner interprets the
 * messages.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "ship/wire.h"

/* Starts a process, as uv_spawn does; tests replace it. */
typedef int child_spawn(uv_loop_t *loop, uv_process_t *process, const uv_process_options_t *options);

struct child {
    uv_loop_t *loop;
    void *ctx;
    void (*message)(void *ctx, const struct wire *w);
    void (*ended)(void *ctx, const char *reason); /* after its last message; not after a failed start */
    void (*closed)(void *ctx);                    /* the next one may be started; also after a failed start */
    child_spawn *spawn;                           /* NULL: uv_spawn */

    uv_process_t process;
    uv_poll_t poll;
    int channel;      /* -1: closed, so that the process ends, or there is none */
    unsigned handles; /* handles that the loop has not closed yet */
    bool useless;     /* its start failed half-way: its end is not reported */
};

/* loop, ctx and the callbacks are set by the owner. */
void child_init(struct child *c);

/* args: NULL-terminated. 0 or -errno, and then `closed` is called later. Only while child_may_start. */
int child_start(struct child *c, char *const *args);
bool child_may_start(const struct child *c);
bool child_is_up(const struct child *c); /* takes messages */

int child_send(struct child *c, const struct wire *w); /* as wire_send; -EPIPE if it isn't up */
void child_end(struct child *c);                       /* closes the channel: the process finishes its work, and ends */
void child_kill(struct child *c);
pid_t child_pid(const struct child *c); /* 0 without */
/* The loop no longer waits for its end. */
void child_abandon(struct child *c);
