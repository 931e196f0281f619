/* SPDX-License-Identifier: Apache-2.0
 *
 * fnmatch(3), glob by glob.
 */
#include "base/glob_list.h"

#include <fnmatch.h>
#include <string.h>

enum { GLOB_MAX = 256 };

bool glob_list_selects(const struct opt_list *list, const char *name)
{
    for (unsigned i = 0; i < list->count; i++)
        for (const char *p = list->item[i]; *p;) {
            size_t n = strcspn(p, " \t\n");
            char glob[GLOB_MAX];

            if (n > 0 && n < sizeof(glob)) {
                bool out = *p == '!';

                memcpy(glob, p + out, n - out);
                glob[n - out] = '\0';
                if (fnmatch(glob, name, FNM_PERIOD) == 0)
                    return !out;
            }
            p += n + strspn(p + n, " \t\n");
        }
    return false;
}
