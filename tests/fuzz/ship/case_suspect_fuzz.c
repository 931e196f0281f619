/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an analysis: a suspect is one printable line of UTF-8, or there is none.
 */
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ship/case_suspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char suspect[SUSPECT_MAX];
    CLEANUP(manifest_done) struct manifest m = {0};

    if (case_suspect_of_analysis((const char *)data, size, suspect) == 0) {
        size_t left = strlen(suspect);

        assert(left < SUSPECT_MAX);
        for (const char *at = suspect; left > 0;) {
            size_t step = text_utf8_length(at, left);

            assert(step > 0 && (unsigned char)*at >= ' ');
            at += step;
            left -= step;
        }
    }
    if (manifest_decode((const char *)data, size, &m, NULL) == 0) {
        const char *class = case_class(&m);

        assert(!class || (*class && m.top));
    }
    return 0;
}
