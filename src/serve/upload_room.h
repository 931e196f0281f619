/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may take how much of a root's disk: a reserve that uploads leave free, a share for each namespace, and what is
 * promised to uploads that are under way. Safe to call from many threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct upload_room;
struct upload_room_tenant;

struct upload_quota {
    char *namespace; /* "*": each one without a quota by name */
    uint64_t bytes;
};

struct upload_room_config {
    uint64_t reserve;          /* bytes that stay free */
    unsigned reserve_permille; /* the same as a part of the disk; the larger of both holds */
    struct upload_quota *quotas;
    unsigned quota_count;
    /* Bytes of uploads of a namespace that wait to go on; NULL: none do. */
    uint64_t (*waiting)(void *ctx, const char *namespace);
    void *ctx;
    /* For tests: in the place of the disk (linux/volume.h); NULL: volume_space. */
    int (*space)(int fd, uint64_t *ret_size, uint64_t *ret_free);
};

/* root_fd and what config borrows must live as long as the room. NULL without memory. */
struct upload_room *upload_room_new(const struct upload_room_config *config, int root_fd);
void upload_room_free(struct upload_room *m);

/* One upload's part of the room. */
struct upload_claim {
    struct upload_room_tenant *tenant;
    uint64_t claimed, written; /* bytes */
};

/* size: of the object, 0 if it is not known yet; there: bytes of it that are on the disk already (a resumed upload).
 * -FAULT_FULL: the disk, or the share of the namespace; -ENOMEM; then there is no claim. */
struct upload_asked {
    const char *namespace;
    uint64_t size, there;
};
int upload_room_claim(struct upload_room *m, const struct upload_asked *asked, struct upload_claim *ret, struct err *e);

/* Claims what is missing for bytes more. -FAULT_FULL. */
int upload_room_expect(struct upload_room *m, struct upload_claim *c, uint64_t bytes, struct err *e);

/* Before bytes more are written; claims more where the size was not known. -FAULT_FULL. */
int upload_room_write(struct upload_room *m, struct upload_claim *c, uint64_t bytes, struct err *e);

/* The upload is over; stored: what now lies under its key counts for its namespace. NULL claims are fine. */
void upload_room_release(struct upload_room *m, struct upload_claim *c, bool stored);

/* Objects of a namespace ("*": of all) were removed: what it uses is counted again when it matters. */
void upload_room_forget(struct upload_room *m, const char *namespace);
