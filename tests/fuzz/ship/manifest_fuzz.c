/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever is taken for a manifest has what verification needs, and written anew it is read the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ship/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(manifest_done) struct manifest once = {0}, twice = {0};
    CLEANUP(buf_done) struct buf text = {0}, again = {0};
    struct err e = {0};

    if (manifest_decode((const char *)data, size, &once, &e) < 0) {
        require(e.msg[0] != '\0');
        return 0;
    }
    require(once.key && once.codec && strlen(once.sha256) == SHA256_HEX_MAX - 1 &&
            strlen(once.stored_sha256) == SHA256_HEX_MAX - 1);
    require(manifest_encode(&once, &text) == 0);
    require(manifest_decode(text.data, text.size, &twice, &e) == 0);
    require(once.size == twice.size && once.stored_size == twice.stored_size);
    require(manifest_encode(&twice, &again) == 0);
    require(text.size == again.size && memcmp(text.data, again.data, text.size) == 0);
    return 0;
}
