/* SPDX-License-Identifier: Apache-2.0
 *
 * How often a text is in another one: for pages, whose elements must be theirs and none of foreign text.
 */
#pragma once

#include <string.h>

static size_t times(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}
