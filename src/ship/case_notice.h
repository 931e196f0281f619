/* SPDX-License-Identifier: Apache-2.0
 *
 * The notice of a case (notify/notice.h), from the manifest of its object.
 */
#pragma once

#include "notify/notice.h"
#include "notify/notify_target.h"
#include "ship/manifest.h"
#include "store/sink.h"

/* object_url: for `salvage get`; public_url: of the server with the pages, without '/' at its end; may be NULL.
 * notice_done() frees ret, also after a failure. 0, -ENOMEM. */
int case_notice(const struct manifest *m, const char *object_url, const char *public_url, struct notice *ret);

/* The notice of an object that was just stored there. A failure is an event (notice-dropped), too. */
int case_notice_of_stored(const struct manifest *m, const struct sink_config *store, const char *public_url,
                          struct notice *ret);

/* Puts it into a queue of notices; folder: of that, or -errno why there is none. A failure is an event, too. */
int case_notice_queue(const struct notice *n, const struct notify_targets *targets, int folder);

/* The event. */
void case_notice_dropped(const char *id, const char *reason);
