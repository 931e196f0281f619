/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What is suspected to have filled a heap, in a few words: from an analysis, or, where there is none,
 * the class that stands out in a digest. Cases of one crash loop are told apart by it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "ship/manifest.h"

enum { SUSPECT_MAX = 256, SUSPECT_JSON_MAX = 16 * 1024 * 1024 };

/* Of an analysis.json (docs/inspect.md): what holds the first suspect, "static com.shop.Cart.CACHE
 * (java.util.HashMap)", else its class; "" if the analysis has none. -EBADMSG: it is no analysis. */
int case_suspect_of_analysis(const char *json, size_t size, char out[SUSPECT_MAX]);

/* Of the classes with most bytes the first that is not the JDK's, else the first; NULL if they are not known.
 * Borrowed from the manifest. */
const char *case_class(const struct manifest *m);
