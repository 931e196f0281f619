/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream that is read ahead: its writer stands still until it is read, so reading comes before compressing, sending
 * and digesting. That ends when all is read, or when the buffer is full for the first time: from then on the writer
 * waits for us.
 */
#include "linux/priority.h"
#include "ship/job_internal.h"

enum { BEHIND_NICE = 10 };

void buffered_begin(struct attempt *a)
{
    if (!a->intake.buffer)
        return;
    a->behind = true;
    a->nice = priority_get();
    priority_set(a->nice + BEHIND_NICE);
}

void buffered_catch_up(struct attempt *a)
{
    if (!a->behind || stream_buffer_has_room(a->intake.buffer))
        return;
    a->behind = false;
    priority_set_all(a->nice);
    if (a->digest)
        digest_stage_nice(a->digest, a->nice);
}
