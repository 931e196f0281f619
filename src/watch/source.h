/* SPDX-License-Identifier: Apache-2.0
 *
 * The watched folders. inotify reports changes, a scan what was there before or was missed. Reports names; whether a
 * file is complete is decided elsewhere (watch/settle.h). Never follows a symlink below a folder that it was given.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"

struct pod_folder;
struct source;
struct spool;

/* Of a root in a pod, whose application may make as many as it likes. */
enum { SOURCE_POD_FOLDERS_MAX = 32, SOURCE_POD_DEPTH_MAX = 4 };

struct folder {
    char *path;                 /* as the user would write it */
    struct folder *root;        /* itself, for a folder that was given */
    int watch;                  /* inotify's watch number; -1: no watch */
    uint64_t dev, ino;          /* of the watched folder: another one may have its path by now */
    bool missing;               /* a root that is missing: looked for again */
    bool named_only;            /* a root for some of `files` only: neither for `include` nor for the folders below */
    bool network;               /* other hosts may write here without an event, and leases don't work */
    bool hung;                  /* its file system does not respond (watch/hang_probe.h): it is not accessed */
    bool spool_later;           /* its spool could not be opened; the error may pass */
    unsigned by_content;        /* counted by the source's owner: candidates whose name is not one of evidence */
    uint64_t by_content_due_ms; /* due time of the last of those that a scan has found */
    struct spool *spool;        /* of a root; set by the source's owner; borrowed */
    struct pod_folder *in_pod;  /* of a root that comes and goes: `path` is for messages only; NULL: any other root */
    unsigned below;             /* of such a root: folders below it that are watched */
    bool below_limited;         /* there are more */
};

/* How a name is treated. */
enum interest {
    INTEREST_NONE,
    INTEREST_BY_CONTENT, /* any other name: its content decides, and watch/sniffer.h limits how often it is read */
    INTEREST_BY_NAME,    /* a name that evidence usually has: its content decides */
    INTEREST_BY_USER     /* the user named it, by --file or --include */
};

enum sighting {
    SIGHT_SCANNED, /* was there at a scan */
    SIGHT_CREATED, /* was just made, or moved in */
    SIGHT_CLOSED,  /* was just closed by a writer, or moved in */
    SIGHT_REMOVED  /* is gone */
};

struct source_events {
    void *ctx;
    /* A name of interest. */
    void (*file)(void *ctx, struct folder *f, const char *name, enum sighting what);
    /* A folder with claims of an earlier run; name: of the state folder. */
    void (*state)(void *ctx, struct folder *f, const char *name);
    /* A folder's state folder was removed. While that is open, the kernel does not report that its parent was removed.
     */
    void (*state_gone)(void *ctx, struct folder *f);
    void (*network)(void *ctx, const struct folder *f, const char *filesystem);
    void (*overflow)(void *ctx);
    void (*watch_limit)(void *ctx, const char *path, int error);
    void (*gone)(void *ctx, const struct folder *f);
    void (*back)(void *ctx, struct folder *f); /* a root was missing, or another folder has its path */
    /* The folder could not be read, and the error may pass: it has to be scanned again. */
    void (*trouble)(void *ctx, const struct folder *f, int error);
    /* A root in a pod has ended, or the folder that it waits for is there: it is to be removed, but not by this call.
     */
    void (*pod_changed)(void *ctx, struct folder *f);
    void (*pod_limited)(void *ctx, const struct folder *f); /* more than SOURCE_POD_FOLDERS_MAX folders below a root */
};

/* An item may hold several globs, separated by white space. */
struct source_config {
    const char *const *dirs;
    unsigned dir_count;
    bool recursive;
    struct opt_list include, exclude; /* empty: names that evidence usually has (ship/kind.h) */
    struct opt_list files;            /* FOLDER/GLOB: the only names that are evidence in that folder */
    struct opt_list namespaces;       /* base/glob_list.h; not empty: only what lies in a folder of these */
    unsigned namespace_level;         /* which of the folders below a root has the namespace's name: 0 the first */
    unsigned pod_level;               /* likewise the pod's */
    struct pod_selection *selection;  /* not NULL: only what lies in a folder of these pods; borrowed */
    bool selection_waits;             /* for pods that the table does not have */
    bool pods;                        /* roots in pods will be added: there need not be others */
};

/* Opens the folders and watches them; reports nothing yet. -FAULT_FOLDER. */
int source_new(const struct source_config *c, const struct source_events *events, struct source **ret, struct err *e);
void source_free(struct source *s);

/* Watches a folder of a pod, and reports nothing yet. Takes `in`, whatever happens. path: for messages. -EEXIST: the
 * same folder is watched already; -EXDEV: its file system is a network's; -ENOENT …: it can't be opened; -ENOMEM. */
int source_add_pod(struct source *s, struct pod_folder *in, const char *path, struct folder **ret);
/* Reports all its folders as gone first. */
void source_remove_pod(struct source *s, struct folder *root);
/* Reports all names in a root. */
void source_scan_root(struct source *s, struct folder *root);

int source_fd(const struct source *s); /* for poll(2), readable; borrowed */
void source_read(struct source *s);    /* reads the events */
void source_scan(struct source *s);    /* reports all names */
/* Whether a root is missing: source_check finds it when it is there again. */
bool source_has_missing_root(const struct source *s);
/* Watches what is under the folders' paths now; called after mounts have changed: inotify reports the old folder, which
 * another file system may cover. */
void source_check(struct source *s);
bool source_has_network(const struct source *s);

enum interest source_interest(const struct source *s, const struct folder *f, const char *name);

/* A folder's descriptor, opened without following symlinks below its root; -errno. Opened each time: no descriptor
 * stays open on a volume at rest, and some FUSE file systems never re-read a folder that is open. */
int source_open(const struct folder *f);

/* Calls fn for each folder, or each root. */
void source_each(struct source *s, void (*fn)(void *ctx, struct folder *f), void *ctx);
void source_each_root(struct source *s, void (*fn)(void *ctx, struct folder *f), void *ctx);
