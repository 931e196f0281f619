/* SPDX-License-Identifier: Apache-2.0
 *
 * A few files: found one after the other.
 */
#include "base/embedded_files.h"

#include <assert.h>

#include "base/text.h"

const struct embedded_file *embedded_file(const char *name)
{
    const struct embedded_file *f = EMBEDDED_FILES;

    while (f->name && !text_eq(f->name, name))
        f++;
    assert(f->name);
    return f;
}
