/* SPDX-License-Identifier: Apache-2.0
 *
 * The form to sign in.
 */
#pragma once

#include "serve/request.h"

/* next: where to go on to, "": to the cases. wrong: why it did not work; NULL: a first try. */
void sign_in_page(struct request *r, unsigned status, const char *next, const char *wrong);
