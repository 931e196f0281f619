/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of one object on their way in: a file in the folder of uploads, invisible to readers until
 * incoming_commit gives it its name. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/digest.h"
#include "serve/disk_writer.h"
#include "serve/uploads.h"

enum { INCOMING_NAME_MAX = 64, INCOMING_MODE = 0600 };

struct incoming {
    struct uploads *uploads;
    int folder, fd; /* of the uploads; of the file, locked (flock) while it is open */
    char name[INCOMING_NAME_MAX];
    uint64_t size;        /* bytes so far */
    uint64_t flushed;     /* the kernel was asked to write these out */
    struct digest digest; /* of these */
    struct upload_claim claim;
    bool behind, direct;        /* as incoming_write_behind says */
    struct disk_writer *writer; /* NULL: none */
};

/* A file that goes with its upload: ".tmp" at the end of its name says so to the next start (upload_sweep.h). */
int incoming_new(struct uploads *u, const struct upload_asked *asked, struct incoming *ret, struct err *e);

/* The same by a name that the caller chooses, and that stays: for uploads in several requests. */
int incoming_create(struct uploads *u, const struct upload_asked *asked, const char *name, struct incoming *ret,
                    struct err *e);

/* One of those again, to go on behind its last byte; asked->there is found out here; before anything is
 * written, incoming_catch_up has to be called: saved is its digest so far (digest_save), as far as it is known.
 * -FAULT_NO_OBJECT; -FAULT_BUSY: another process has it.
 */
int incoming_open(struct uploads *u, const struct upload_asked *asked, const char *name, struct incoming *ret,
                  struct err *e);
/* Claims the room for bytes more, unless it was claimed with the size. -FAULT_FULL. */
int incoming_expect(struct incoming *in, uint64_t bytes, struct err *e);

/* Reads what the digest lacks. */
int incoming_catch_up(struct incoming *in, const char *saved, struct err *e);

/* -FAULT_FULL: the disk, the share, or the ceiling of one object (-EFBIG); -errno. Nothing may be written after that.
 */
int incoming_write(struct incoming *in, const void *data, size_t size, struct err *e);

/* So many bytes more are to come: if they are many they are written while the next are received, unless several others
 * do so. Where the next bytes may be put (disk_writer_space), NULL: anywhere. While none come, and before fd is read,
 * incoming_rest ends that for now. */
void incoming_write_behind(struct incoming *in, uint64_t bytes);
void *incoming_space(struct incoming *in, size_t *size);
int incoming_rest(struct incoming *in, struct err *e);

/* All bytes are on the disk when this returns. */
int incoming_sync(struct incoming *in, struct err *e);

/* Takes back what came behind this. Nothing may be written after that. */
int incoming_truncate(struct incoming *in, uint64_t size, struct err *e);

enum incoming_end {
    INCOMING_STORED,   /* under a new name */
    INCOMING_REPLACED, /* in the place of another object */
    INCOMING_THERE,    /* the same bytes were there already; this file is gone */
};

/* Makes the folders of key, and gives the file its name, in one step; durable when this returns 0. replace: in the
 * place of what is there; else -FAULT_EXISTS, unless that has the very same bytes. -FAULT_REFUSED: a folder on the way
 * is none, or a folder has this name. The upload goes on to exist after a failure. */
struct incoming_target {
    const char *key;
    bool replace;
};
int incoming_commit(struct incoming *in, const struct incoming_target *target, enum incoming_end *ret, struct err *e);

/* Closes the file; drop: removes it too, if it was not committed. Half-built and zeroed ones are fine. */
void incoming_done(struct incoming *in, bool drop);

/* What stands under a key: 1 with *ret_size, 0 if nothing does, -EISDIR, -ENOTDIR, other -errno. */
int incoming_there(const struct uploads *u, const char *key, uint64_t *ret_size);

/* One folder in one that exists: 0; -EEXIST, -ENOENT, -ENOTDIR, other -errno. */
int incoming_make_folder(const struct uploads *u, const char *key);
