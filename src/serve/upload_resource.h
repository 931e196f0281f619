/* SPDX-License-Identifier: Apache-2.0
 *
 * A resumable upload on disk: ID.part (its bytes), ID.json (upload_record.h) and ID.sum (the running digest, which may
 * be missing or old) in the folder of uploads. What its offset says is durable: a restart, kill -9 or a power cut loses
 * nothing of it. Belongs to one exchange at a time (upload_slots.h).
 */
#pragma once

#include "serve/incoming.h"
#include "serve/upload_record.h"

enum {
    UPLOAD_ID_MAX = 49,          /* 16 hex digits of the owner, 32 by chance, NUL */
    UPLOADS_OF_ONE_MAX = 256,    /* resumable uploads of one owner */
    UPLOADS_MAX = 4096,          /* and of all */
    UPLOAD_IDLE_MS = 3600000,    /* after this one may be removed for another of its owner, where there are too many */
    UPLOAD_COMPLETE_MS = 3600000 /* how long a completed one can still be asked for */
};

#define UPLOAD_PART ".part"
#define UPLOAD_RECORD ".json"
#define UPLOAD_SUM ".sum"

struct upload_resource {
    struct uploads *uploads;
    struct upload_slot *slot;
    int folder;
    char id[UPLOAD_ID_MAX];
    struct upload_record record;
    bool committed; /* the object has its name: only the record is left, and incoming is empty */
    struct incoming incoming;
    uint64_t offset; /* durable, when this was opened */
    bool removed;
};

/* For x, whose body there has to be room for. Takes the record's texts, also when it fails. -FAULT_BUSY: as many as may
 * be; -FAULT_FULL; -errno. */
int upload_resource_create(struct uploads *u, struct upload_record *record, struct exchange *x,
                           struct upload_resource *ret, struct err *e);

/* -FAULT_NO_OBJECT: there is none of this id, or not of this owner; -FAULT_BUSY; -FAULT_FULL; -errno. */
struct upload_wanted {
    const char *id, *owner;
};
int upload_resource_open(struct uploads *u, const struct upload_wanted *wanted, struct exchange *x,
                         struct upload_resource *ret, struct err *e);

/* Before its first incoming_write after upload_resource_open. Claims the room for what x brings. -FAULT_FULL; -errno.
 */
int upload_resource_append(struct upload_resource *res, const struct exchange *x, struct err *e);

/* Writes the record. */
int upload_resource_save(struct upload_resource *res, struct err *e);

/* All bytes so far are durable, and the digest is kept with them. */
int upload_resource_sync(struct upload_resource *res, struct err *e);

/* After incoming_commit: what is left is the record, for a client that lost the answer. */
void upload_resource_committed(struct upload_resource *res);

/* Takes it away. */
void upload_resource_remove(struct upload_resource *res);

void upload_resource_done(struct upload_resource *res);
