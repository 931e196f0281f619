/* SPDX-License-Identifier: Apache-2.0
 *
 * The form to sign in, and the page of a link that was made.
 */
#pragma once

#include <stdint.h>

#include "serve/request.h"

/* next: where to go on to, "": to the cases. wrong: why it did not work; NULL: a first try. */
void sign_in_page(struct request *r, unsigned status, const char *next, const char *wrong);

/* path: of the link, without the server. */
void sign_in_link_page(struct request *r, const char *path, int64_t expires_s);
