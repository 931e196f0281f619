/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors of arrays; slashes become dots. The packages of runtimes.
 */
#include "base/java_name.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { DIMENSIONS_MAX = 255 };

static const char *primitive(char letter)
{
    static const char *const NAMES[] = {['B'] = "byte", ['C'] = "char", ['D'] = "double", ['F'] = "float",
                                        ['I'] = "int",  ['J'] = "long", ['S'] = "short",  ['Z'] = "boolean"};

    return letter > 0 && (size_t)letter < ARRAY_SIZE(NAMES) ? NAMES[(size_t)letter] : NULL;
}

const char *java_name(const char *name, size_t size, char *out, size_t room)
{
    const char *element = NULL;
    size_t dimensions = 0, at = 0;

    assert((name || size == 0) && out && room > 0);
    while (dimensions < size && name[dimensions] == '[' && dimensions < DIMENSIONS_MAX)
        dimensions++;
    if (dimensions > 0 && size == dimensions + 1)
        element = primitive(name[dimensions]);
    if (element) {
        name = element;
        size = strlen(element);
    } else if (dimensions > 0 && size > dimensions + 2 && name[dimensions] == 'L' && name[size - 1] == ';') {
        name += dimensions + 1;
        size -= dimensions + 2;
    } else {
        dimensions = 0;
    }
    for (; at < size && at + 1 < room; at++)
        out[at] = name[at] == '/' ? '.' : name[at];
    for (; dimensions > 0 && at + 2 < room; dimensions--) {
        out[at++] = '[';
        out[at++] = ']';
    }
    out[at] = '\0';
    return out;
}

bool java_name_is_runtime(const char *name)
{
    static const char *const BEGINNINGS[] = {"java.",
                                             "javax.",
                                             "jdk.",
                                             "sun.",
                                             "com.sun.",
                                             "kotlin.",
                                             "kotlinx.",
                                             "scala.",
                                             "clojure.lang.",
                                             "groovy.",
                                             "org.codehaus.groovy.",
                                             "byte[",
                                             "char[",
                                             "short[",
                                             "int[",
                                             "long[",
                                             "float[",
                                             "double[",
                                             "boolean["};

    assert(name);
    for (size_t i = 0; i < ARRAY_SIZE(BEGINNINGS); i++)
        if (text_starts(name, BEGINNINGS[i]))
            return true;
    return false;
}
