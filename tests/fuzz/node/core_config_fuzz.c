/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as the handler's configuration: what is accepted is written and read again as the same.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "node/core_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct core_config c = {0}, again = {0};
    struct buf text = {0};
    struct err e = {0};

    if (core_config_decode((const char *)data, size, &c, &e) < 0) {
        assert(!c.sets && *e.msg);
        return 0;
    }
    assert(c.sets <= CORE_SETS_MAX);
    for (size_t i = 0; i < c.sets; i++)
        assert(c.set[i].arguments.count <= CORE_ARGUMENTS_MAX);
    assert(core_config_encode(&c, &text) == 0);
    assert(core_config_decode(text.data, text.size, &again, &e) == 0);
    assert(again.sets == c.sets && again.by_node == c.by_node);
    for (size_t i = 0; i < c.sets; i++)
        assert(again.set[i].arguments.count == c.set[i].arguments.count &&
               again.set[i].environment.count == c.set[i].environment.count);
    assert(strcmp(again.pattern, c.pattern) == 0 && again.pipe_limit == c.pipe_limit);
    core_config_done(&c);
    core_config_done(&again);
    buf_done(&text);
    return 0;
}
