/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever is asked for: each mapped block has a slot of its own, and what was mapped last stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "inspect/block_cache.h"

enum { BLOCKS = 500, SLOTS = 150, QUESTIONS = 5000, STAYS = 30 };

#define NONE UINT32_MAX

static struct block_cache cache;
static uint32_t block_in[SLOTS];  /* as the other process has them mapped */
static unsigned asked_at[BLOCKS]; /* the last question */

static void fetch_until_there(uint64_t block)
{
    struct block_run run = {0};

    while (!block_cache_has(&cache, block)) {
        assert_true(block_cache_choose(&cache, &run));
        assert_in_range(run.count, 1, BLOCK_RUN_MAX);
        for (unsigned i = 0; i < run.count; i++) {
            assert_int_equal(block_in[cache.slot_of[run.first + i]], NONE);
            block_cache_fetched(&cache, run.first + i);
        }
    }
}

static void ask(uint64_t block, unsigned question)
{
    struct block_answer answer;

    block_cache_ask(&cache, block);
    fetch_until_there(block);
    block_cache_map(&cache, block, &answer);
    assert_in_range(answer.slot, 0, SLOTS - 1);
    assert_true(block_in[answer.slot] == NONE || block_in[answer.slot] == block);
    block_in[answer.slot] = (uint32_t)block;
    asked_at[block] = question;
    for (uint32_t i = 0; i < answer.evicted_count; i++) {
        uint32_t slot = 0;

        while (slot < SLOTS && block_in[slot] != answer.evicted[i])
            slot++;
        assert_true(slot < SLOTS);
        assert_true(asked_at[answer.evicted[i]] + STAYS < question);
        block_in[slot] = NONE;
    }
}

static void begin(void)
{
    assert_int_equal(block_cache_init(&cache, BLOCKS, SLOTS), 0);
    assert_int_equal(cache.slots, SLOTS);
    for (unsigned i = 0; i < SLOTS; i++)
        block_in[i] = NONE;
    for (unsigned i = 0; i < BLOCKS; i++)
        asked_at[i] = 0;
}

static void any_order(void **state)
{
    (void)state;
    srand(1);
    begin();
    for (unsigned i = 1; i <= QUESTIONS; i++)
        ask((uint64_t)rand() % BLOCKS, i);
    block_cache_done(&cache);
}

static void passes_from_the_beginning(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < QUESTIONS; i++)
        ask(i % BLOCKS, i + 1);
    block_cache_done(&cache);
}

static void a_stream_is_read_ahead(void **state)
{
    struct block_run run = {0};

    (void)state;
    begin();
    ask(0, 1);
    assert_true(block_cache_choose(&cache, &run));
    assert_true(run.first > 0 && run.count > 1);
    block_cache_done(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order),
        cmocka_unit_test(passes_from_the_beginning),
        cmocka_unit_test(a_stream_is_read_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
