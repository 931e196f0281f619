/* SPDX-License-Identifier: Apache-2.0
 *
 * The suspect of one case (ship/case_suspect.h), from its store.
 */
#pragma once

#include <stdbool.h>

#include "ship/case_suspect.h"
#include "store/sink.h"

/* By a listing of the case and one or a few small objects. folder: as case_objects_list. "" if nothing is suspected, or
 * is known. The store's faults; -FAULT_DENIED: the manifests may not be read. */
int case_suspect_read(struct sink *sink, const char *id, bool folder, char out[SUSPECT_MAX], struct err *e);
