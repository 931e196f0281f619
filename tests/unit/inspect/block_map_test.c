/* SPDX-License-Identifier: Apache-2.0
 *
 * A dump that is elsewhere reads like memory: in any order, on several threads, from a cache that holds a part of it.
 * Both ends are in this process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/thread.h"
#include "codec/codec.h"
#include "inspect/block_map.h"
#include "inspect/block_server.h"

enum { BLOCK = 512 * 1024, BLOCKS = 150, REST = 12345, THREADS = 4, WORD = sizeof(uint64_t) };

#define SIZE ((uint64_t)(BLOCKS - 1) * BLOCK + REST)

static uint64_t word_at(uint64_t at)
{
    return (at * UINT64_C(0x9E3779B97F4A7C15)) >> 7;
}

static void fill(unsigned char *block, uint64_t from)
{
    for (size_t i = 0; i < BLOCK; i += WORD)
        memcpy(block + i, &(uint64_t){word_at(from + i)}, WORD);
}

/* As we store it: frames and a seek table. broken: a frame that is damaged; -1: none. */
static FILE *compressed(int64_t broken)
{
    CLEANUP_FREE unsigned char *block = malloc(BLOCK), *out = malloc(CODEC_ZSTD.bound(BLOCK));
    struct frames frames = {0};
    FILE *f = tmpfile();
    void *encoder;

    assert_non_null(f);
    assert_int_equal(CODEC_ZSTD.encoder_new(1, BLOCK, &encoder), 0);
    for (uint64_t i = 0; i < BLOCKS; i++) {
        size_t raw = i + 1 < BLOCKS ? BLOCK : REST;
        ssize_t n;

        fill(block, i * BLOCK);
        n = CODEC_ZSTD.encode(encoder, block, raw, out, CODEC_ZSTD.bound(BLOCK));
        assert_true(n > 0);
        if ((int64_t)i == broken)
            memset(out, 0xFF, 4);
        assert_int_equal(fwrite(out, 1, (size_t)n, f), n);
        assert_int_equal(frames_add(&frames, (uint32_t)n, (uint32_t)raw), 0);
    }
    CLEANUP_FREE unsigned char *table = malloc(seektable_size(&frames));
    seektable_encode(&frames, table);
    assert_int_equal(fwrite(table, 1, seektable_size(&frames), f), seektable_size(&frames));
    frames_done(&frames);
    CODEC_ZSTD.encoder_free(encoder);
    assert_int_equal(fflush(f), 0);
    return f;
}

struct reader {
    const unsigned char *data;
    uint64_t seed;
    uint64_t wrong;
};

static uint64_t check(const unsigned char *data, uint64_t from, uint64_t to)
{
    uint64_t wrong = 0;

    for (uint64_t at = from; at + WORD <= to; at += WORD) {
        uint64_t found;

        memcpy(&found, data + at, WORD);
        wrong += found != word_at(at);
    }
    return wrong;
}

/* Twice in order, then here and there. */
static void *read_all(void *ctx)
{
    struct reader *r = ctx;

    for (int pass = 0; pass < 2; pass++)
        for (uint64_t at = 0; at < SIZE; at += BLOCK)
            r->wrong += check(r->data, at, at + 4096 < SIZE ? at + 4096 : SIZE);
    for (int i = 0; i < 100; i++) {
        uint64_t at;

        r->seed = r->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        at = (r->seed >> 20) % (SIZE - 2 * WORD) / WORD * WORD;
        r->wrong += check(r->data, at, at + WORD);
    }
    return NULL;
}

static int serve(FILE *f, int fds[2], struct frame_source *source, struct block_server **ret)
{
    struct err e;
    int r = frame_source_of_file(fileno(f), source, &e);

    assert_int_equal(r, 1);
    assert_int_equal(source->geometry.size, SIZE);
    assert_int_equal(source->geometry.block_bytes, BLOCK);
    return block_server_start(source, 0, ret, fds, &e);
}

static void it_reads_like_memory(FILE *f)
{
    struct reader reader[THREADS];
    pthread_t thread[THREADS];
    struct frame_source source;
    struct block_geometry g;
    struct block_server *server;
    struct block_map map;
    struct err e;
    int fds[2];

    assert_int_equal(serve(f, fds, &source, &server), 0);
    assert_int_equal(block_map_geometry(fds[0], &g, &e), 0);
    assert_int_equal(block_map_new(fds[0], fds[1], &g, &map, &e), 0);
    assert_int_equal(map.size, SIZE);
    for (unsigned i = 0; i < THREADS; i++) {
        reader[i] = (struct reader){.data = map.data, .seed = i + 1};
        assert_int_equal(thread_start(&thread[i], 256 * 1024, read_all, &reader[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(reader[i].wrong, 0);
    }
    assert_int_equal(block_server_progress(server), (uint64_t)(BLOCKS - 1) * BLOCK);
    assert_int_equal(block_server_end(server, &e), 0);
    frame_source_done(&source);
    close(fds[0]);
    close(fds[1]);
    fclose(f);
}

static void a_compressed_dump_reads_like_memory(void **state)
{
    (void)state;
    it_reads_like_memory(compressed(-1));
}

static void a_plain_dump_reads_like_memory(void **state)
{
    CLEANUP_FREE unsigned char *block = malloc(BLOCK);
    FILE *f = tmpfile();

    (void)state;
    for (uint64_t i = 0; i < BLOCKS; i++) {
        fill(block, i * BLOCK);
        assert_int_equal(fwrite(block, 1, i + 1 < BLOCKS ? BLOCK : REST, f), i + 1 < BLOCKS ? BLOCK : REST);
    }
    assert_int_equal(fflush(f), 0);
    it_reads_like_memory(f);
}

static void damage_is_reported_and_ends_the_other_process(void **state)
{
    const uint64_t block = 70;
    struct frame_source source;
    struct block_geometry g;
    struct block_answer answer;
    struct block_server *server;
    struct err e;
    FILE *f = compressed((int64_t)block);
    int fds[2];

    (void)state;
    assert_int_equal(serve(f, fds, &source, &server), 0);
    assert_int_equal(read(fds[0], &g, sizeof(g)), sizeof(g));
    assert_int_equal(write(fds[0], &(struct block_question){block}, sizeof(struct block_question)),
                     sizeof(struct block_question));
    assert_int_equal(read(fds[0], &answer, sizeof(answer)), 0);
    assert_int_equal(block_server_end(server, &e), -FAULT_CORRUPT);
    assert_non_null(strstr(e.msg, "damaged"));
    frame_source_done(&source);
    close(fds[0]);
    close(fds[1]);
    fclose(f);
}

static void what_is_not_in_even_blocks_is_read_otherwise(void **state)
{
    struct frame_source source;
    FILE *f = compressed(-1);
    struct err e;

    (void)state;
    assert_int_equal(ftruncate(fileno(f), 1000 * 1000), 0); /* the table is gone */
    assert_int_equal(frame_source_of_file(fileno(f), &source, &e), 0);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compressed_dump_reads_like_memory),
        cmocka_unit_test(a_plain_dump_reads_like_memory),
        cmocka_unit_test(damage_is_reported_and_ends_the_other_process),
        cmocka_unit_test(what_is_not_in_even_blocks_is_read_otherwise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
