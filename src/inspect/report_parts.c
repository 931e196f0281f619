/* SPDX-License-Identifier: Apache-2.0
 */
#include "inspect/report_parts.h"

#include <inttypes.h>

#include "base/jsonout.h"
#include "base/text.h"

enum { LINE_MAX_BYTES = 2048, JSON_TEXT_MAX = 4096 };

void report_put(FILE *out, const char *text)
{
    char printable[LINE_MAX_BYTES];

    fputs(text_printable(text ? text : "?", printable, sizeof(printable)), out);
}

unsigned report_percent(uint64_t part, uint64_t of)
{
    return of ? (unsigned)((double)part * 100 / (double)of + 0.5) : 0;
}

json_t *report_text(const char *text)
{
    return text ? jsonout_text(text, JSON_TEXT_MAX) : json_null();
}

json_t *report_number(uint64_t n)
{
    return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

json_t *report_id(const struct heap *h, uint32_t node)
{
    char hex[24];

    if (node == HEAP_NONE)
        return json_null();
    snprintf(hex, sizeof(hex), "0x%" PRIx64, heap_index_id(h->index, node));
    return json_string(hex);
}
