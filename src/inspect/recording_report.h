/* SPDX-License-Identifier: Apache-2.0
 *
 * A flight recording as text and as JSON (schema "salvage.recording/1").
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "jfr/jfr_recording.h"

struct recording_view {
    const char *name; /* of the file */
    unsigned top;     /* classes and methods that are shown */
    bool bold;        /* a terminal */
};

/* Whether these are the first bytes of a recording. */
bool recording_probe(const void *data, size_t size);

void recording_report_print(const struct jfr_recording *r, const struct recording_view *v, FILE *out);
json_t *recording_report_json(const struct jfr_recording *r, const struct recording_view *v); /* NULL without memory */
