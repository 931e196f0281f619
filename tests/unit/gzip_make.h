/* SPDX-License-Identifier: Apache-2.0
 *
 * A gzip member for tests, made by zlib.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

/* Returns its size; the test fails where out is too small. Include cmocka.h before. */
static size_t gzip_make(const void *data, size_t size, unsigned char *out, size_t out_size)
{
    z_stream z = {.next_in = (void *)(uintptr_t)data,
                  .avail_in = (unsigned)size,
                  .next_out = out,
                  .avail_out = (unsigned)out_size};

    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return out_size - z.avail_out;
}
