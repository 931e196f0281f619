/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a core: what is found lies inside it, and every question has an answer.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/core_read.h"
#include "core/core_stream.h"
#include "core/core_text.h"
#include "core/memory_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same bytes as a stream, in pieces: what lies in order has the same sentence. */
static void as_stream(const uint8_t *data, size_t size)
{
    struct core_stream *s = NULL;
    struct summary summary;

    assert(core_stream_new(&s) == 0);
    for (size_t at = 0, n = 1; at < size; at += n, n = n * 3 % 4099) {
        n = n < size - at ? n : size - at;
        assert(core_stream_feed(s, data + at, n) == 0);
    }
    assert(core_stream_summary(s, &summary) != 0 || *summary.sentence);
    core_stream_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(core_read_done) struct core_read c = {0};
    struct summary s = {0};
    struct err e = {0};
    char place[CORE_PLACE_MAX], cause[128], id[CORE_BUILD_ID_MAX];

    as_stream(data, size);
    core_build_id(data, size, id);
    assert(strlen(id) < sizeof(id));
    if (core_read(data, size, &c, &e) < 0) {
        assert(*e.msg && c.thread_count == 0);
        return 0;
    }
    assert(c.thread_count > 0 && c.thread_count <= CORE_THREADS_MAX && c.module_count <= CORE_MODULES_MAX);
    for (size_t i = 0; i < c.thread_count && i < 64; i++) {
        uint64_t frame[CORE_FRAMES_MAX];
        size_t count = core_frames(&c, &c.thread[i], frame);

        assert(count >= 1 && count <= CORE_FRAMES_MAX && frame[0] == c.thread[i].pc);
        assert(c.thread[i].registers > data && c.thread[i].registers < data + size);
        for (size_t k = 0; k < count; k++)
            assert(*core_place(&c, frame[k], place));
    }
    assert(*core_cause(&c, cause, sizeof(cause)) && core_program_name(&c));
    core_is_jvm(&c);
    for (size_t i = 0; i < c.module_count && i < 16; i++) {
        size_t image = memory_image_size(&c, &c.module[i]);
        unsigned char *bytes = image > 0 && image <= 1 << 20 ? calloc(1, image) : NULL;

        if (bytes)
            memory_image_fill(&c, &c.module[i], bytes, image);
        free(bytes);
    }
    assert(core_summary(data, size, &s) == 0 && *s.sentence && strlen(s.sentence) < sizeof(s.sentence));
    return 0;
}
