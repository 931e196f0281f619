/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a JVM's answer: a reason is given where there has to be one, and fits.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hotspot/dumpanswer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = malloc(size + 1);
    char reason[40], shorter[2];
    enum dumpanswer answer;

    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    memset(reason, 'x', sizeof(reason));
    answer = dumpanswer_read(text, reason, sizeof(reason));
    assert(memchr(reason, '\0', sizeof(reason)));
    if (answer == DUMPANSWER_MADE || answer == DUMPANSWER_NONE)
        assert(!*reason);
    assert(dumpanswer_read(text, shorter, sizeof(shorter)) == answer);
    assert(shorter[0] == reason[0]);
    assert(answer != DUMPANSWER_MADE || strstr(text, "Heap dump file created"));
    return 0;
}
