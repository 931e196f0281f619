/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages' own files (src/serve/static), linked in. cmake/page_files.cmake makes the table.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "serve/request.h"

struct page_file {
    const char *name, *digest; /* "page.css", a part of its SHA-256 */
    const char *data;
    size_t size;
};

extern const struct page_file PAGE_FILES[]; /* ends with name NULL */

enum { PAGE_FILE_URL_MAX = 64 };

/* "/-/static/DIGEST/NAME" into out[PAGE_FILE_URL_MAX]; returns out. */
const char *page_file_url(const char *name, char *out);

/* Answers "-/static/DIGEST/NAME"; 404 if the digest is another version's. No rights are needed. */
void page_file_answer(struct request *r);
