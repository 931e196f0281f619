/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a java command: its class, its short name and its arguments are parts of it.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hotspot/jps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *command = malloc(size + 1);
    const char *arguments;
    size_t length, at;

    assert(command);
    if (size > 0)
        memcpy(command, data, size);
    command[size] = '\0';
    length = jps_class(command, &arguments);
    at = jps_short(command, length);
    assert(length <= strlen(command) && at <= length);
    assert(arguments >= command + length && arguments <= command + length + 1);
    assert(arguments + strlen(arguments) == command + strlen(command));
    assert(!memchr(command + at, '/', length - at) || at == 0);
    free(command);
    return 0;
}
