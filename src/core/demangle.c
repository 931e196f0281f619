/* SPDX-License-Identifier: Apache-2.0
 *
 * By libiberty (binutils): one function for all languages, with a limit of its recursion, and without libstdc++.
 */
#include "core/demangle.h"

#include <stdlib.h>
#include <string.h>

/* Of libiberty, whose header needs libiberty.h: that has macros of our names, and another licence than the code. */
char *cplus_demangle(const char *mangled, int options);
enum { DMGL_ANSI = 1 << 1, DMGL_AUTO = 1 << 8 };

char *demangle(const char *name)
{
    char *plain = name[0] == '_' ? cplus_demangle(name, DMGL_AUTO | DMGL_ANSI) : NULL;
    char *copy = strndup(plain ? plain : name, DEMANGLE_MAX);

    free(plain);
    return copy;
}
