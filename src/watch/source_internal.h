/* SPDX-License-Identifier: Apache-2.0
 *
 * The source's table of folders; shared by the source_*.c files.
 */
#pragma once

#include <stddef.h>

#include "watch/source.h"

struct source {
    struct source_config config;
    struct source_events events;
    struct folder **named; /* the folder of each of config.files */
    int inotify_fd;
    struct folder **folder; /* ordered by watch number, which the kernel only increments */
    size_t count, capacity;
    bool network;
};

/* source.c */
void folder_free(struct folder *f);
/* Inserts in the order of watch numbers; folders without a watch (-1) come first. 0 or -ENOMEM. */
int source_insert_folder(struct source *s, struct folder *f);
struct folder *source_find_watch(const struct source *s, int watch, size_t *ret_index); /* NULL: none */
struct folder *source_find_path(const struct source *s, const struct folder *root, const char *path);
struct folder *source_find_root(const struct source *s, int fd); /* the root that fd is open on */
/* Records folder and file system of fd, which was just opened under the folder's path. */
void source_note_folder(struct source *s, struct folder *f, int fd, bool parent_network);
void source_watch_root(struct source *s, struct folder *f, int fd);
/* Watches a folder that was just opened: of a pod by the descriptor, as its path leads nowhere. inotify's number or
 * -errno. */
int source_watch_folder(struct source *s, const struct folder *f, int fd);

/* source_check.c */
void source_forget_below(struct source *s, const struct folder *root, const char *path);

/* source_interest.c */
bool source_wants(const struct source *s, const struct folder *f, const char *name);

/* source_selection.c: whether a folder below this one may have evidence of ours, and whether its files may be. */
bool source_selects_folder(const struct source *s, const struct folder *parent, const char *name);
bool source_selects_files(const struct source *s, const struct folder *f);

/* source_scan.c */
unsigned source_depth(const struct folder *f); /* 0 for a root */
void source_scan_folder(struct source *s, struct folder *f);
/* A folder below another: watched, then scanned for what was put into it before the watch. */
void source_add_folder(struct source *s, struct folder *parent, const char *name);
