/* SPDX-License-Identifier: Apache-2.0
 *
 * Names below the folder of a file store. A key is walked segment by segment and no symlink is followed: others may
 * write to the folder too. Messages have the whole path and what to do about it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "store/sink.h"

enum { FILE_OBJECT_MODE = 0600 };

struct bandwidth;
struct file_store {
    struct sink sink;
    char *path;                  /* of the folder; owned */
    int root;                    /* its descriptor; -1: not made yet */
    struct bandwidth *bandwidth; /* of uploads; borrowed; NULL: no limit */
};

/* Sets the message for error (an errno value) while doing ("write to") something to key ("": the folder itself). */
int file_tree_fail(const struct file_store *s, int error, const char *doing, const char *key, struct err *e);

/* Opens the store's folder unless it is open. If it is missing: it is made with make, else -FAULT_NO_OBJECT; but
 * -FAULT_NO_BUCKET if the folder that it would lie in is missing too. */
int file_tree_open(struct file_store *s, bool make, struct err *e);

/* The folder that key lies in, as a descriptor to be closed by the caller, and key's last segment (in key). With make
 * folders that are missing are made, the store's own too; else -FAULT_NO_OBJECT. */
int file_tree_parent(struct file_store *s, const char *key, bool make, const char **ret_name, struct err *e);

/* As sink_ops.list: regular files in the folder prefix and below it, but hidden ones. Folders that can't be read
 * (lost+found) are passed over. */
int file_tree_list(struct file_store *s, const char *prefix,
                   int (*fn)(void *ctx, const struct sink_listing_entry *entry), void *ctx, struct err *e);

/* Hands fn at most size bytes from the descriptor's position on. 0, -errno, or what fn returned. */
int file_tree_pour(int fd, uint64_t size, int (*fn)(void *ctx, const void *data, size_t size), void *ctx);
