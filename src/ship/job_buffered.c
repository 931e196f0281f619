/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream that is read ahead: its writer stands still until it is read, so reading comes before compressing, sending
 * and digesting, which have what the reading leaves of the processors. That ends when all is read, or when the buffer
 * is full for the first time: from then on the writer waits for us.
 */
#include "linux/priority.h"
#include "ship/job_internal.h"

void buffered_begin(struct attempt *a)
{
    a->behind = a->intake.buffer && priority_idle();
}

void buffered_catch_up(struct attempt *a)
{
    if (!a->behind || stream_buffer_has_room(a->intake.buffer))
        return;
    a->behind = false;
    priority_usual_all();
    if (a->digest)
        digest_stage_usual(a->digest);
}
