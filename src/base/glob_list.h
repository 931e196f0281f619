/* SPDX-License-Identifier: Apache-2.0
 *
 * Globs of which the first that fits decides: GLOB selects, !GLOB leaves out. What none fits is left out.
 */
#pragma once

#include <stdbool.h>

#include "base/opt.h"

/* Whether the list selects the name. An item may hold several globs, separated by white space. A '*' or '?' does not
 * fit a '.' at the start. An empty list selects nothing. */
bool glob_list_selects(const struct opt_list *list, const char *name);
