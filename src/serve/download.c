/* SPDX-License-Identifier: Apache-2.0
 *
 * Objects of a root, to their readers, as they are stored: by sendfile, whole or in part.
 */
#include "base/mem.h"
#include "serve/byteranges.h"
#include "serve/decoded.h"
#include "serve/object_answer.h"
#include "serve/route.h"

static void answer_stored(struct request *r, struct root_object *o)
{
    const struct representation p = {.object = o,
                                     .decoded = exchange_query(r->exchange, "decoded") != NULL,
                                     .size = (int64_t)o->size,
                                     .ranges = true,
                                     .etag = o->etag,
                                     .sha256 = o->sure ? o->manifest.stored_sha256 : NULL};
    struct ranges ranges;

    switch (object_answer_plan(r, &p, &ranges)) {
    case ANSWERED:
        break;
    case WHOLE:
        object_answer_headers(r, &p, NULL);
        exchange_answer_file(r->exchange, 200, TAKE_FD(o->fd), 0, o->size);
        break;
    case PART:
        object_answer_headers(r, &p, &ranges);
        exchange_answer_file(r->exchange, 206, TAKE_FD(o->fd), ranges.range[0].first, ranges.range[0].size);
        break;
    case PARTS:
        byteranges_answer(r, &p, &ranges, TAKE_FD(o->fd));
        break;
    }
}

void download_object(struct request *r)
{
    CLEANUP(root_object_done) struct root_object o = {.fd = -1};

    if (!object_answer_open(r, &o))
        return;
    if (!exchange_query(r->exchange, "decoded") || !decoded_answer(r, &o))
        answer_stored(r, &o);
}
