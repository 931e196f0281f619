/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a server offers resumable uploads, and uploads straight to the bucket behind it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/http/resume_answer.h"

enum { FIELD_MAX = 256 };

int http_resume_find(struct http_store *s, const struct upload_start *start, struct err *e)
{
    const struct upload_events *events = start ? start->events : NULL;
    CLEANUP(http_answer_done) struct http_answer answer = {0};
    CLEANUP_FREE char *url = http_store_url(s, "");
    struct http_request request;
    char limit[FIELD_MAX];
    int r;

    if (s->resumable != RESUMABLE_UNKNOWN)
        return 0;
    if ((r = http_store_request(s, "OPTIONS", url, &request, e)) < 0)
        return r;
    http_add_header(&request, "Upload-Draft-Interop-Version", RESUME_INTEROP_VERSION);
    r = http_store_send(s->http, &request, events, &answer, e);
    /* A server or a proxy that has trouble with OPTIONS alone must not keep an object from its place; but an upload
     * that was begun is worth the wait. */
    if (r == -FAULT_BUSY && !(start && start->past))
        return 0;
    if (r < 0)
        return r;
    if (answer.status == 401)
        return http_store_fail(s, &request, &answer, e);
    http_direct_note(s, &answer);
    s->resumable = http_store_ok(&answer) && http_header(&answer, "Upload-Limit", limit, sizeof(limit)) &&
                           http_header(&answer, "Upload-Draft-Interop-Version", limit, sizeof(limit)) &&
                           text_eq(limit, RESUME_INTEROP_VERSION)
                       ? RESUMABLE_OFFERED
                       : RESUMABLE_NONE;
    return 0;
}
