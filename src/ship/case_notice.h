/* SPDX-License-Identifier: Apache-2.0
 *
 * The notice of a case (notify/notice.h), from the manifest of its object.
 */
#pragma once

#include "notify/notice.h"
#include "ship/manifest.h"

/* object_url: for `salvage get`; public_url: of the server with the pages, without '/' at its end; may be NULL.
 * notice_done() frees ret, also after a failure. 0, -ENOMEM. */
int case_notice(const struct manifest *m, const char *object_url, const char *public_url, struct notice *ret);
