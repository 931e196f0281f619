/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that are linked in: styles, scripts and pictures of pages (src/ROOM/static). cmake/embedded_files.cmake makes
 * the table.
 */
#pragma once

#include <stddef.h>

struct embedded_file {
    const char *name, *digest; /* "page.css", a part of its SHA-256 */
    const char *data;          /* NUL-terminated */
    size_t size;
};

extern const struct embedded_file EMBEDDED_FILES[]; /* ends with name NULL */

/* The file of this name, which is there. */
const struct embedded_file *embedded_file(const char *name);
