/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies in one folder of a root, for listings: regular files and folders, and of the root itself what the caller
 * may list. Hidden are names with a '.' in front, links and other special files, and names that no key can have.
 * Sorted, folders first; a folder whose names take too much memory, alone or together with other listings, is listed in
 * the order of the disk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "serve/request.h"

struct folder_list;

struct folder_entry {
    const char *name; /* borrowed until the next call */
    bool folder;
    uint64_t size; /* of a file */
    int64_t modified_ns;
};

/* Where the entries of a folder come from, if not from a root's disk. next: as folder_list_next. */
struct folder_source {
    int (*next)(void *state, struct folder_entry *ret);
    void (*free)(void *state);
};

/* r->key is a folder's, "" the root. r must live as long as the list. -ENOENT, -ENOTDIR, -EACCES; -EAGAIN: the rights
 * in a namespace cannot be found out; other -errno. */
int folder_list_new(struct request *r, struct folder_list **ret);
void folder_list_free(struct folder_list *l);

/* The same, of a root or of a store elsewhere; false after it has answered with the reason. An anonymous caller who
 * sees nothing in the root is to sign in; others see that there is nothing (yet) for them. */
bool folder_list_open(struct request *r, struct folder_list **ret);

/* 1 with *ret; 0 at the end; -errno. What was removed meanwhile is left out. */
int folder_list_next(struct folder_list *l, struct folder_entry *ret);
