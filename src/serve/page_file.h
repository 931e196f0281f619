/* SPDX-License-Identifier: Apache-2.0
 *
 * Styles, scripts and pictures of the pages, which are linked in, under URLs of this server.
 */
#pragma once

#include "serve/request.h"

enum { PAGE_FILE_URL_MAX = 64 };

/* "/-/static/DIGEST/NAME" into out[PAGE_FILE_URL_MAX]; returns out. */
const char *page_file_url(const char *name, char *out);

/* Answers "-/static/DIGEST/NAME"; 404 if the digest is another version's. No rights are needed. */
void page_file_answer(struct request *r);
