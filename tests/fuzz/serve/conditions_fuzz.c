/* SPDX-License-Identifier: Apache-2.0
 *
 * Any condition, in the place of each header.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/conditions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = strndup((const char *)data, size);
    const struct validators v = {.etag = "\"a-b\"", .modified_s = 784111777, .modified_strong = true};
    const struct conditions match = {.if_match = text}, none = {.if_none_match = text};
    const struct conditions dates = {.if_modified_since = text, .if_unmodified_since = text, .if_range = text};
    unsigned status;

    assert(text);
    status = conditions_status(&dates, &v);
    assert(status == 0 || status == 304 || status == 412);
    status = conditions_status(&match, &v);
    assert(status == (conditions_names(text, v.etag, false) ? 0 : 412));
    status = conditions_status(&none, &v);
    assert(status == (conditions_names(text, v.etag, true) ? 304 : 0));
    if (conditions_range(&dates, &v))
        assert(strcmp(text, v.etag) == 0 || status == 0);
    return 0;
}
