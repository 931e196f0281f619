/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What an answer says of an object: media type, file name. Names come from keys and manifests, so from
 * whoever died: none becomes HTML, none breaks a header.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "ship/manifest.h"

/* What is answered: an object as it is stored, or its plain bytes. */
struct object_name {
    const char *key;
    const struct manifest *manifest; /* NULL: none */
    bool decoded;
};

/* By kind and name: text, JSON, or bytes. Never a type that a browser runs. */
const char *object_name_type(const struct object_name *n);

/* The name to save it by: the evidence's own if the manifest knows it, with the codec's suffix unless decoded; the last
 * part of the key else. UTF-8, no '/', no control characters, never empty or hidden. */
enum { OBJECT_NAME_MAX = 256 };
void object_name_file(const struct object_name *n, char out[OBJECT_NAME_MAX]);

/* Content-Disposition (RFC 6266) into out; "inline" for what a browser may show. */
enum { OBJECT_DISPOSITION_MAX = 1200 };
void object_name_disposition(const struct object_name *n, char out[OBJECT_DISPOSITION_MAX]);

/* Whether it is an OOM record, by its key: whoever may list cases may read it. */
bool object_name_is_record(const char *key);
