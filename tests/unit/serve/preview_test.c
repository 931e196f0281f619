/* SPDX-License-Identifier: Apache-2.0
 *
 * Beginnings of objects, decompressed, from a folder: ceilings, damage, and what no page can show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/fault.h"
#include "scratch.h"
#include "serve/preview.h"

static struct sink_config store;
static struct serve serve = {.config.store = &store};
static char root[PATH_MAX];

static int set_up(void **state)
{
    if (scratch_set_up(state) < 0 || !realpath(scratch_root, root))
        return -1;
    store = (struct sink_config){.url = {.scheme = URL_FILE, .authority = (char *)"", .path = root}, .uploads = 1};
    return 0;
}

static void put_bytes(const char *name, const void *data, size_t size)
{
    assert_int_equal(file_replace(scratch_fd, name, data, size, 0644), 0);
}

/* window_log 0: the library's choice. */
static void put_zstd(const char *name, const char *text, size_t size, int window_log)
{
    CLEANUP_FREE char *out = malloc(ZSTD_compressBound(size));
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_inBuffer in = {text, size, 0};
    ZSTD_outBuffer to = {out, ZSTD_compressBound(size), 0};

    assert_true(out && context);
    if (window_log)
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    assert_int_equal(ZSTD_compressStream2(context, &to, &in, ZSTD_e_flush),
                     0); /* its size is not in the frame's head */
    assert_int_equal(ZSTD_compressStream2(context, &to, &in, ZSTD_e_end), 0);
    put_bytes(name, out, to.pos);
    ZSTD_freeCCtx(context);
}

static int load(const char *key, const char *codec, size_t most, struct preview *ret, struct err *e)
{
    struct manifest m = {.key = (char *)key, .codec = (char *)codec};

    return preview_load(&serve, &m, most, ret, e);
}

static void a_text_comes_back_as_it_was(void **state)
{
    static const char *const codecs[] = {"none", "zstd:1"};

    (void)state;
    scratch_put(".", "plain", "text");
    put_bytes("none", "a\0b", 3);
    put_zstd("zstd:1", "a\0b", 3, 0);
    for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
        CLEANUP(preview_done) struct preview p = {0};
        struct err e;

        assert_int_equal(load(codecs[i], codecs[i], 3, &p, &e), 0);
        assert_int_equal(p.text.size, 3);
        assert_memory_equal(p.text.data, "a\0b", 3);
        assert_false(p.cut);
    }
    {
        CLEANUP(preview_done) struct preview p = {0};

        assert_int_equal(load("plain", "none", PREVIEW_MAX, &p, NULL), 0);
        assert_string_equal(buf_text(&p.text), "text");
    }
}

static void what_is_longer_is_cut(void **state)
{
    CLEANUP_FREE char *zeros = calloc(1, 1 << 20);
    CLEANUP(preview_done) struct preview p = {0};
    struct err e;

    (void)state;
    put_zstd("bomb", zeros, 1 << 20, 0);
    assert_int_equal(load("bomb", "zstd:1", 70000, &p, &e), 0);
    assert_int_equal(p.text.size, 70000);
    assert_true(p.cut);
}

static void what_cannot_be_shown_is_a_fault(void **state)
{
    CLEANUP_FREE char *zeros = calloc(1, 1 << 20);
    struct preview p = {0};
    struct err e;

    (void)state;
    assert_int_equal(load("missing", "none", 10, &p, &e), -FAULT_NO_OBJECT);
    put_bytes("damaged", "no zstd", 7);
    assert_int_equal(load("damaged", "zstd:1", 10, &p, &e), -FAULT_FORMAT);
    assert_true(load("damaged", "lzma:9", 10, &p, &e) < 0);
    put_zstd("wide", zeros, 1 << 20, 24);
    assert_int_equal(load("wide", "zstd:1", 10, &p, &e), -FAULT_FORMAT);
    assert_non_null(strstr(e.msg, "8 MiB"));
    assert_null(p.text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_comes_back_as_it_was, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_is_longer_is_cut, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_shown_is_a_fault, set_up, scratch_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
