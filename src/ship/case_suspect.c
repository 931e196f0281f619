/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A leak of the program's objects shows in its own classes, seldom in the JDK's arrays and maps that
 * they are made of.
 */
#include "ship/case_suspect.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>

#include "base/java_name.h"
#include "base/json_read.h"
#include "base/text.h"

int case_suspect_of_analysis(const char *json, size_t size, char out[SUSPECT_MAX])
{
    json_auto_t *root = json_read_object(json, size, SUSPECT_JSON_MAX);
    const json_t *first = json_array_get(json_object_get(root, "suspects"), 0);
    const char *holder = json_read_text(first, "holder"), *class = json_read_text(first, "class");

    assert(json && out);
    if (!root || !text_eq(json_read_text(root, "schema"), "salvage.analysis/1"))
        return -EBADMSG;
    text_printable(*holder && json_integer_value(json_object_get(first, "count")) <= 1 ? holder : class, out,
                   SUSPECT_MAX);
    return 0;
}

const char *case_class(const struct manifest *m)
{
    assert(m);
    if (!m->top || m->top->count == 0 || !*m->top->row[0].name)
        return NULL;
    for (unsigned i = 0; i < m->top->count; i++)
        if (*m->top->row[i].name && !java_name_is_runtime(m->top->row[i].name))
            return m->top->row[i].name;
    return m->top->row[0].name;
}
