/* SPDX-License-Identifier: Apache-2.0
 *
 * On jansson, which refuses text that is not UTF-8.
 */
#include "base/jsonout.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

json_t *jsonout_text(const char *text, size_t most)
{
    static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */
    CLEANUP(buf_done) struct buf out = {.ceiling = most + 1};
    size_t left = strlen(text);

    while (left > 0) {
        size_t length = text_utf8_length(text, left), step = length > 0 ? length : 1;
        size_t add = length > 0 ? length : strlen(REPLACEMENT);

        if (out.size + add > most)
            break;
        if (buf_add(&out, length > 0 ? text : REPLACEMENT, add) < 0)
            return NULL;
        text += step;
        left -= step;
    }
    return json_stringn(buf_text(&out), out.size);
}
