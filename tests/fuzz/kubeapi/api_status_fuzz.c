/* SPDX-License-Identifier: Apache-2.0
 *
 * Any refusal of an API server: its texts are printable and end.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "kubeapi/api_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct api_status s;
    char again[API_STATUS_MESSAGE_MAX];

    memset(&s, 'x', sizeof(s));
    api_status_read((const char *)data, size, &s);
    assert(strlen(s.reason) < sizeof(s.reason) && strlen(s.message) < sizeof(s.message));
    assert(strcmp(s.message, text_printable(s.message, again, sizeof(again))) == 0);
    return 0;
}
