/* SPDX-License-Identifier: Apache-2.0
 *
 * One case as pages show it: its manifests, and the texts among its evidence.
 */
#pragma once

#include "serve/page.h"
#include "serve/preview.h"
#include "ship/why.h"

enum { EVIDENCE_MAX = 200 }; /* objects that a page shows */

struct evidence {
    char *id, *namespace;                 /* of the case; owned */
    struct manifest object[EVIDENCE_MAX]; /* the most telling first */
    char *json[EVIDENCE_MAX];             /* their texts; owned */
    unsigned count, total, broken;        /* broken: manifests that can't be read */
    struct why_kill kill;
    struct buf record; /* the JSON of the kill's record; empty without one */
    unsigned rights;   /* of the caller in the case's namespace */
    bool pinned;
};

/* id: of the case. Answers itself if the caller may not see it, or if there is none: -ECANCELED then. *ret is on the
 * heap: evidence_free. */
int evidence_open(struct request *r, const char *id, struct evidence **ret);
void evidence_free(struct evidence *v);

/* The first object of this kind; NULL. */
const struct manifest *evidence_find(const struct evidence *v, const char *kind);

/* The object whose file has this name; NULL. */
const struct manifest *evidence_named(const struct evidence *v, const char *file);

/* Whether an object of this kind is a text that a page can show. */
bool evidence_is_text(const char *kind);

/* Whether RIGHT_LIST suffices to look into it. */
bool evidence_is_record(const char *kind);

/* "/-/case/ID", or "/-/case/ID?show=FILE" for an object. */
int evidence_url(const struct evidence *v, const struct manifest *object, struct buf *ret);

/* One object's section of the case's page: its sizes, digests, ways to get it. */
void evidence_write(struct html *h, const struct evidence *v, unsigned i, const struct request *r);

/* What a caller with RIGHT_DELETE may do with the case; nothing for others. */
void evidence_care(struct html *h, const struct request *r, const struct evidence *v);

/* How the analysis of its heap dump stands, and for a caller with RIGHT_READ the button that asks for it; nothing for a
 * case without a heap dump. */
void evidence_analysis(struct html *h, const struct request *r, const struct evidence *v);

/* Sections; what the store fails at is said in their place. */
void evidence_record(struct html *h, const struct evidence *v);
void evidence_histogram(struct html *h, struct serve *s, const struct evidence *v);
void evidence_text(struct html *h, struct serve *s, const struct evidence *v, const struct manifest *m);

/* The page of one text, with a search: q NULL: all of it. */
void evidence_show(struct request *r, const struct evidence *v, const struct manifest *m, const char *q);
