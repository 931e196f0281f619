/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads of requests: what is accepted is whole, ends with an empty line, and has one meaning; more bytes behind it
 * change nothing, and no part of it is accepted.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_request_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *why = NULL;
    struct http_request_head head = {0}, again = {0};
    int r = http_request_head_check(text, size, &head, &why);

    if (r == 0 && size >= HTTP_HEAD_MAX)
        abort();
    if (r < 0 && (r > -400 || r < -599 || !why))
        abort();
    if (r <= 0)
        return 0;
    if (head.size > size || head.size > HTTP_HEAD_MAX || head.size < 4 ||
        memcmp(text + head.size - 4, "\r\n\r\n", 4) != 0 || memchr(text, '\0', head.size))
        abort();
    if (head.chunked && (head.body_size || head.is_old))
        abort();
    if (http_request_head_check(text, head.size, &again, &why) != 1 || again.size != head.size)
        abort();
    if (http_request_head_check(text, head.size - 1, &again, &why) != 0)
        abort();
    return 0;
}
