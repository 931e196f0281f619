/* SPDX-License-Identifier: Apache-2.0
 *
 * What uploads into a root share: their limits, the room on the disk, and the folder ROOT/.salvage/uploads in which
 * they lie until they are whole: on the same file system, so that an object gets its name in one step.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "serve/disk_writer.h"
#include "serve/upload_room.h"
#include "serve/upload_slots.h"

struct upload_config {
    uint64_t object_max;   /* bytes of one object; 0: no limit */
    uint64_t abandoned_ms; /* a resumable upload to which nobody sends goes after this; 0: never */
    struct upload_room_config room;
};

struct uploads;

int uploads_open(const struct upload_config *config, int root_fd, struct uploads **ret, struct err *e);
void uploads_close(struct uploads *u);

const struct upload_config *uploads_config(const struct uploads *u);
struct upload_room *uploads_room(const struct uploads *u);
struct upload_slots *uploads_slots(const struct uploads *u);
struct disk_writers *uploads_writers(const struct uploads *u);
uint64_t uploads_direct_min(const struct uploads *u); /* bytes: larger objects would fill the page cache */
int uploads_root(const struct uploads *u);

/* The folder, made at the first upload: a folder of dumps that is only read gets nothing from us. Its descriptor, to be
 * closed by the caller. -FAULT_STATE (it is not ours alone, or cannot be made), -FAULT_FULL. */
int uploads_folder(struct uploads *u, struct err *e);

/* The same without making it: -ENOENT. */
int uploads_folder_there(const struct uploads *u);

/* Objects of this key's namespace were removed or replaced: what it uses is counted again. */
void uploads_removed(struct uploads *u, const char *key);
