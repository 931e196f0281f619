/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What died and why, in one sentence: from a manifest, and from the record of an OOM kill where there is
 * one. For the page of a case, its notice, and whoever lists cases. The texts in it are foreign: who shows the sentence
 * escapes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/summary.h"
#include "ship/manifest.h"

enum { WHY_MAX = 512, WHY_NAME_MAX = 64 };

/* "The JVM in cart ran out of Java heap." into out[WHY_MAX], one line of valid UTF-8; returns out. */
const char *why_sentence(const struct manifest *m, char *out);

/* Of a record of an OOM kill (salvage.oom-kill/1). "" and 0 where unknown. */
struct why_kill {
    bool known;
    char what[WHY_NAME_MAX];    /* "limit", "parent-limit", "machine", "cpuset", "memory-policy" */
    char process[WHY_NAME_MAX]; /* the name of the killed process, printable */
    uint64_t rss, limit, ram;   /* bytes */
};

/* Reads the record; what is no such record leaves *ret as it is. */
void why_read_kill(const char *json, size_t size, struct why_kill *ret);

/* The same sentence for a case with a record of a kill, which explains more than what was taken before it. kill NULL or
 * unknown: as why_sentence. */
const char *why_sentence_of_kill(const struct manifest *m, const struct why_kill *kill, char *out);

/* The sentence of a record alone, without a full stop: of its process and its limit. 0; -EBADMSG: it is no record. */
int why_kill_summary(const void *json, size_t size, struct summary *ret);

/* The exit code of the process that died, as its container's status has it: 128 and the signal's number; 0: unknown, or
 * it did not die. */
unsigned why_exit_code(const struct manifest *m);

/* "Heap dump", "Crash log of the JVM" for a kind of evidence; the kind itself if it is not known. */
const char *why_kind(const char *kind);
