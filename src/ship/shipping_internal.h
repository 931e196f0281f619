/* SPDX-License-Identifier: Apache-2.0
 *
 * One file or stream that is shipped in the foreground; shared by the shipping*.c files.
 */
#pragma once

#include "base/progress.h"
#include "ship/claim.h"
#include "ship/shipping.h"

struct shipment {
    struct shipping *of;
    const char *path;                     /* a stream's name */
    const struct shipping_stream *stream; /* NULL: a file */
    uint64_t began_ms;                    /* --give-up counts from here */
    bool stopped;                         /* the stream was ended, by us or by its writer */
    int fd;
    int folder;  /* of the file; -1 for a stream */
    bool erases; /* erase the file after shipping */
    bool held;   /* the caller has opened it: its path is used in messages only */
    struct claim claim;
    struct spool *spool;
    struct progress progress;
    bool state_lost;
    bool unfiltered; /* said */
};

/* shipping_claim.c */
int shipment_claim_file(struct shipment *s, const char *name, struct err *e);
int shipment_claim_stream(struct shipment *s, struct err *e);
/* Removes the state folder if it is empty. */
void shipment_close_spool(struct shipment *s);

/* shipping_report.c */
void shipment_say(struct shipment *s, const char *what, const char *text);
void shipment_waiting(void *ctx, const struct err *e, uint64_t delay_ms); /* ctx: struct shipment, as for the others */
void shipment_state_lost(void *ctx, const char *why);
/* Sets the job's callbacks that report to the user. */
void shipment_report_progress(struct shipment *s, struct job *job);
/* Reports the object, on stdout or in the log. 0 or -errno of stdout. */
int shipment_report(struct shipment *s, const struct job_result *result);
