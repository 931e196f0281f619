/* SPDX-License-Identifier: Apache-2.0
 *
 * The folders that are watched. inotify reports what happens, a scan what was there before or was missed. Reports
 * names; whether a file is complete is decided elsewhere (watch/settle.h). Never follows a symlink below a folder it
 * was given.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"

struct source;
struct spool;

struct folder {
    char *path;                 /* as the user would write it */
    struct folder *root;        /* itself for a folder that was given */
    int watch;                  /* inotify's number, -1 without */
    uint64_t dev, ino;          /* of the folder that is watched: another may lie under the path by now */
    bool missing;               /* a root that is gone: to be found again */
    bool named_only;            /* a root for some of `files`: not for include, nor for folders below */
    bool network;               /* other hosts may write here unnoticed, and leases don't hold */
    bool hung;                  /* its file system does not answer (watch/hang_probe.h): nothing here touches it */
    bool spool_later;           /* its spool could not be opened, by an error that may pass */
    unsigned by_content;        /* the source's owner counts here: candidates whose name says nothing */
    uint64_t by_content_due_ms; /* and when the last of those that were there at a scan is due */
    struct spool *spool;        /* a root's, set by the owner of the source; borrowed */
};

/* What may be taken of a folder's names. */
enum interest {
    INTEREST_NONE,
    INTEREST_BY_CONTENT, /* any other name: its content decides, read as often as watch/sniffer.h allows */
    INTEREST_BY_NAME,    /* a name that evidence usually has: its content decides */
    INTEREST_BY_USER     /* the user named it, by --file or --include */
};

enum sighting {
    SIGHT_SCANNED, /* was there at a scan */
    SIGHT_CREATED, /* has just been made, or moved in */
    SIGHT_CLOSED,  /* has just been closed by a writer, or moved in */
    SIGHT_REMOVED  /* is gone */
};

struct source_events {
    void *ctx;
    /* A name of interest. */
    void (*file)(void *ctx, struct folder *f, const char *name, enum sighting what);
    /* A folder with claims of an earlier run: name is the state folder's own. */
    void (*state)(void *ctx, struct folder *f, const char *name);
    /* A folder's state folder was removed. As long as it is held open the kernel does not say that its parent is gone.
     */
    void (*state_gone)(void *ctx, struct folder *f);
    void (*network)(void *ctx, const struct folder *f, const char *filesystem);
    void (*overflow)(void *ctx);
    void (*watch_limit)(void *ctx, const char *path, int error);
    void (*gone)(void *ctx, const struct folder *f);
    void (*back)(void *ctx, struct folder *f); /* a root that was gone, or another folder lies in its place */
    /* It could not be read, by an error that may pass: to be scanned again. */
    void (*trouble)(void *ctx, const struct folder *f, int error);
};

/* Globs separated by white space may stand in one item. */
struct source_config {
    const char *const *dirs;
    unsigned dir_count;
    bool recursive;
    struct opt_list include, exclude; /* no include: names that evidence usually has (ship/kind.h) */
    struct opt_list files;            /* FOLDER/GLOB: names that are evidence in that folder; its other names are not */
};

/* Opens the folders and watches them; reports nothing yet. -FAULT_FOLDER. */
int source_new(const struct source_config *c, const struct source_events *events, struct source **ret, struct err *e);
void source_free(struct source *s);

int source_fd(const struct source *s); /* to poll for reading; borrowed */
void source_read(struct source *s);    /* what the descriptor has */
void source_scan(struct source *s);    /* everything that is there */
/* Whether a root is gone: source_check finds it once it is there again. */
bool source_has_missing_root(const struct source *s);
/* Watches what lies under the folders' paths now, after mounts have come or gone: the kernel's notices speak of what
 * was watched, which another file system may cover. */
void source_check(struct source *s);
bool source_has_network(const struct source *s);

enum interest source_interest(const struct source *s, const struct folder *f, const char *name);

/* A folder's descriptor, reached without symlinks below its root; -errno. Always opened anew: nothing is held open on a
 * volume at rest, and some FUSE file systems never read a folder again that was held. */
int source_open(const struct folder *f);

/* The folders, and of them the roots: fn for each. */
void source_each(struct source *s, void (*fn)(void *ctx, struct folder *f), void *ctx);
void source_each_root(struct source *s, void (*fn)(void *ctx, struct folder *f), void *ctx);
