/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Cuts an API server's answer into the objects in it while it arrives, so that none of it is held but
 * the object that is being received:
 *
 *   a list    {"kind":"PodList","metadata":{…},"items":[OBJECT,OBJECT]}: each item, and at its end what is around them
 *   a watch   OBJECT OBJECT …: {"type":"ADDED","object":{…}} in each line
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum {
    OBJECT_MAX = 3 * 1024 * 1024,    /* bytes of one: more than the API server takes from anybody (etcd: 1.5 MiB) */
    OBJECT_AROUND_MAX = 64 * 1024,   /* of a list, without its items */
    OBJECT_MEMORY_KEPT = 128 * 1024, /* between objects */
    OBJECT_DEPTH_MAX = 64
};

struct object_stream {
    /* The caller's. take: text of one object, valid until it returns; negative ends the stream. */
    bool list;
    int (*take)(void *ctx, const char *text, size_t size);
    void *ctx;

    /* "{…,"items":[]}" at the end of a list. */
    struct buf around;
    unsigned too_large; /* objects that were left out */

    struct buf object;
    unsigned depth;
    bool in_string, escaped, in_items, in_object, dropped;
};

/* 0; what take returned; -FAULT_FORMAT: this is no such answer; -ENOMEM. After a failure: object_stream_done. */
int object_stream_feed(struct object_stream *s, const char *data, size_t size);

/* Whether all that was begun has ended. */
bool object_stream_is_whole(const struct object_stream *s);
void object_stream_done(struct object_stream *s);
