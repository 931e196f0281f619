/* SPDX-License-Identifier: Apache-2.0
 *
 * The source's table of folders, shared by the source_*.c files.
 */
#pragma once

#include <stddef.h>

#include "watch/source.h"

struct source {
    struct source_config config;
    struct source_events events;
    struct folder **named; /* of each of config.files, the folder it lies in */
    int notify_fd;
    struct folder **folder; /* in the order of their watch numbers, which the kernel only counts up */
    size_t count, capacity;
    bool network;
};

/* source.c */
void folder_free(struct folder *f);
/* Keeps the order of watch numbers; folders without a watch (-1) come first. 0 or -ENOMEM. */
int source_insert_folder(struct source *s, struct folder *f);
struct folder *source_find_watch(const struct source *s, int watch, size_t *ret_index); /* NULL: none */
struct folder *source_find_path(const struct source *s, const char *path);
struct folder *source_find_root(const struct source *s, int fd); /* the root that fd is open on */
/* Notes which folder and file system fd, just opened under the folder's path, is. */
void source_note_folder(struct source *s, struct folder *f, int fd, bool parent_network);
void source_watch_root(struct source *s, struct folder *f, int fd);

/* source_interest.c */
bool source_wants(const struct source *s, const struct folder *f, const char *name);

/* source_scan.c */
void source_scan_folder(struct source *s, struct folder *f);
/* A folder below another: watched, and scanned for what was put into it before the watch was there. */
void source_add_folder(struct source *s, struct folder *parent, const char *name);
