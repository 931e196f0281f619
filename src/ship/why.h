/* SPDX-License-Identifier: Apache-2.0
 *
 * Why something died, in one sentence, from its manifest: for the page of a case, its notice, and whoever lists cases.
 * The texts in it are foreign: who shows the sentence escapes it.
 */
#pragma once

#include <stddef.h>

#include "ship/manifest.h"

enum { WHY_MAX = 400 };

/* "The JVM ran out of memory: Java heap space." into out[WHY_MAX], one line of valid UTF-8; returns out. */
const char *why_sentence(const struct manifest *m, char *out);

/* "Heap dump", "Crash log" for a kind of evidence; the kind itself if it is not known. */
const char *why_kind(const char *kind);
