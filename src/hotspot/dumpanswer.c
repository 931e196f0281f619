/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines: "Dumping heap to PATH ...", then "Heap dump file created [N bytes in S secs]" (JDK 8: without the numbers), or
 * "Unable to create PATH: REASON", or "Dump file is incomplete: REASON". Any other line is an error message.
 */
#include "hotspot/dumpanswer.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* A path may contain ": ", a message of strerror does not. */
static const char *behind_last_colon(const char *line, size_t length)
{
    const char *behind = line;

    for (size_t i = 0; i + 1 < length; i++)
        if (line[i] == ':' && line[i + 1] == ' ')
            behind = line + i + 2;
    return behind;
}

enum dumpanswer dumpanswer_read(const char *text, char *reason, size_t size)
{
    enum dumpanswer answer = DUMPANSWER_NONE;

    if (size > 0)
        *reason = '\0';
    while (*text) {
        size_t length = strcspn(text, "\n");
        const char *why = text;

        if (text_starts(text, "Heap dump file created")) {
            if (size > 0)
                *reason = '\0';
            return DUMPANSWER_MADE;
        }
        if (text_starts(text, "Dump file is incomplete") || text_starts(text, "Unable to create"))
            why = behind_last_colon(text, length);
        if (length > 0 && !text_starts(text, "Dumping heap to")) {
            snprintf(reason, size, "%.*s", (int)(length - (size_t)(why - text)), why);
            if (answer == DUMPANSWER_NONE)
                answer = DUMPANSWER_REFUSED;
        }
        if (text_starts(text, "Dump file is incomplete"))
            answer = DUMPANSWER_CUT;
        text += length + (text[length] == '\n');
    }
    return answer;
}
