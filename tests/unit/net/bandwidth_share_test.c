/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may send when a line is shared: transfers of a simulated machine, by its clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/bandwidth_share.h"

enum { SENDERS_MAX = 300, TENANTS_MAX = 12 };
#define MS 1000000ull
#define SECOND (1000 * MS)
#define START (1000 * SECOND)

struct sender {
    struct bandwidth_transfer at;
    uint64_t tenant;
    double wants;     /* bytes a second; 0: all that it can get */
    uint64_t late_ns; /* how much later than asked it wakes up at most */
    uint64_t from_ns, until_ns;
    uint64_t next_ns, sent;
};

struct line {
    struct bandwidth_share share;
    uint64_t rate;
    struct sender sender[SENDERS_MAX];
    unsigned count;
    uint32_t random;
};

static uint32_t draw(struct line *l, uint32_t below)
{
    l->random = l->random * 1664525 + 1013904223;
    return (l->random >> 8) % below;
}

static struct line *new_line(uint64_t rate)
{
    struct line *l = calloc(1, sizeof(*l));

    assert_non_null(l);
    l->rate = rate;
    l->random = 12345;
    return l;
}

static struct sender *add(struct line *l, uint64_t tenant, double wants)
{
    struct sender *s = &l->sender[l->count++];

    *s = (struct sender){.at = {.owner = l->count},
                         .tenant = tenant * 0x9e3779b97f4a7c15ull,
                         .wants = wants,
                         .until_ns = UINT64_MAX,
                         .next_ns = START};
    return s;
}

static void ask(struct line *l, struct sender *s, uint64_t now)
{
    struct bandwidth_ask what = {l->rate, s->tenant, bandwidth_piece(l->rate), now};
    uint64_t wait = bandwidth_share_ask(&l->share, &s->at, &what);

    assert_true(wait < SECOND);
    if (wait == 0) {
        s->sent += what.size;
        wait = 100000; /* until the socket has it */
        if (s->wants > 0) {
            double due = (double)s->sent / s->wants * (double)SECOND + (double)START;

            if (due > (double)(now + wait))
                wait = (uint64_t)due - now;
        }
    } else if (s->late_ns > 0) {
        wait += draw(l, (uint32_t)s->late_ns);
    }
    s->next_ns = now + wait;
}

/* From START on. Bytes in all. */
static uint64_t run_for(struct line *l, uint64_t ns)
{
    uint64_t total = 0;

    for (;;) {
        struct sender *next = NULL;

        for (unsigned i = 0; i < l->count; i++) {
            struct sender *s = &l->sender[i];

            if (s->next_ns < s->from_ns)
                s->next_ns = s->from_ns;
            if (s->next_ns < s->until_ns && (!next || s->next_ns < next->next_ns))
                next = s;
        }
        if (!next || next->next_ns > START + ns)
            break;
        ask(l, next, next->next_ns);
    }
    for (unsigned i = 0; i < l->count; i++)
        total += l->sender[i].sent;
    return total;
}

static void assert_near(uint64_t is, double wanted, double part)
{
    if (fabs((double)is - wanted) > wanted * part)
        fail_msg("%.0f is not %.0f", (double)is, wanted);
}

static void one_alone_gets_all_and_no_more(void **state)
{
    static const uint64_t RATES[] = {64 << 10, 1 << 20, 8 << 20, 100 << 20, 2ull << 30};

    (void)state;
    for (size_t i = 0; i < sizeof(RATES) / sizeof(RATES[0]); i++) {
        struct line *l = new_line(RATES[i]);

        add(l, 1, 0)->late_ns = 2 * MS;
        assert_near(run_for(l, 4 * SECOND), 4.0 * (double)RATES[i], 0.05);
        free(l);
    }
}

static void tenants_get_equal_shares_however_many_transfers_they_have(void **state)
{
    struct line *l = new_line(8 << 20);
    struct sender *lone = add(l, 1, 0);

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        add(l, 2, 0)->late_ns = MS;
    assert_near(run_for(l, 4 * SECOND), 4.0 * (8 << 20), 0.05);
    assert_near(lone->sent, 2.0 * (8 << 20), 0.05);
    for (unsigned i = 1; i <= 20; i++)
        assert_near(l->sender[i].sent, 2.0 * (8 << 20) / 20, 0.15);
    free(l);
}

/* What each gets if those that want least get it, and the others share the rest. */
static void fill(const double *wants, double *gets, unsigned count, double rate)
{
    bool done[TENANTS_MAX] = {false};
    unsigned left = count;

    while (left > 0) {
        double share = rate / left;
        bool any = false;

        for (unsigned i = 0; i < count; i++)
            if (!done[i] && wants[i] > 0 && wants[i] <= share) {
                gets[i] = wants[i];
                rate -= wants[i];
                done[i] = any = true;
                left--;
            }
        if (any)
            continue;
        for (unsigned i = 0; i < count; i++)
            if (!done[i])
                gets[i] = share;
        return;
    }
}

static void shares_are_max_min_fair(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 30; round++) {
        struct line *l = new_line((1u << 20) << round % 6);
        double wants[TENANTS_MAX] = {0}, gets[TENANTS_MAX] = {0};
        uint64_t sent[TENANTS_MAX] = {0};
        unsigned tenants, senders[TENANTS_MAX];

        l->random = round * 7919 + 1;
        tenants = 2 + draw(l, TENANTS_MAX - 2);
        for (unsigned i = 0; i < tenants; i++) {
            wants[i] = draw(l, 2) ? 0 : (double)l->rate * (1 + draw(l, 99)) / 100;
            senders[i] = 1 + draw(l, 4);
            for (unsigned k = 0; k < senders[i]; k++)
                add(l, i + 1, wants[i] / senders[i])->late_ns = draw(l, 2) ? 0 : MS;
        }
        fill(wants, gets, tenants, (double)l->rate);
        run_for(l, 8 * SECOND);
        for (unsigned i = 0, at = 0; i < tenants; i++)
            for (unsigned k = 0; k < senders[i]; k++)
                sent[i] += l->sender[at++].sent;
        for (unsigned i = 0; i < tenants; i++)
            assert_near(sent[i], gets[i] * 8, 0.08 + (double)bandwidth_piece(l->rate) * 5 / (gets[i] * 8));
        free(l);
    }
}

/* Killed while they waited: others get what they would have got. */
static void the_dead_hold_nothing(void **state)
{
    struct line *l = new_line(8 << 20);
    struct sender *lives = add(l, 1, 0);

    (void)state;
    for (unsigned i = 0; i < 50; i++)
        add(l, 2 + i, 0)->until_ns = START + 1;
    run_for(l, 4 * SECOND);
    assert_near(lives->sent, 4.0 * (8 << 20), 0.06);
    free(l);
}

static void one_killed_now_and_then_costs_no_bytes(void **state)
{
    struct line *l = new_line(4 << 20);

    (void)state;
    for (unsigned i = 0; i < 150; i++) {
        struct sender *s = add(l, 2 + i % 3, 0);

        s->from_ns = START + 20 * MS * i;
        s->until_ns = s->from_ns + 90 * MS;
    }
    add(l, 1, 0);
    assert_near(run_for(l, 3 * SECOND), 3.0 * (4 << 20), 0.06);
    free(l);
}

/* A tenant that was away has not saved its share up, and one that was busy does not pay for it. */
static void nothing_is_saved_up(void **state)
{
    struct line *l = new_line(8 << 20);
    struct sender *early = add(l, 1, 0), *late = add(l, 2, 0);

    (void)state;
    late->from_ns = START + 4 * SECOND;
    run_for(l, 8 * SECOND);
    assert_near(late->sent, 2.0 * (8 << 20), 0.05);
    assert_near(early->sent, 6.0 * (8 << 20), 0.05);
    free(l);
}

static void transfers_beyond_the_entries_go_when_others_leave(void **state)
{
    struct line *l = new_line(8 << 20);

    (void)state;
    for (unsigned i = 0; i < SENDERS_MAX; i++) {
        struct sender *s = add(l, 1 + i % 5, 0);

        s->until_ns = i < BANDWIDTH_TRANSFERS ? START + 5 * SECOND : UINT64_MAX;
        s->late_ns = MS;
    }
    assert_near(run_for(l, 10 * SECOND), 10.0 * (8 << 20), 0.05);
    for (unsigned i = 0; i < SENDERS_MAX; i++)
        assert_true(l->sender[i].sent > 0);
    free(l);
}

/* As of another boot, or damaged. */
static void whatever_stands_in_the_memory_it_goes_on(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct line *l = new_line(8 << 20);
        unsigned char *at = (unsigned char *)&l->share;

        l->random = round;
        for (size_t i = 0; i < sizeof(l->share); i++)
            at[i] = round < 2 ? 0xff : (unsigned char)draw(l, 256);
        if (round % 3 == 0)
            atomic_store(&l->share.free_ns, START + SECOND * 30 * 24 * 3600);
        else if (round % 3 == 1)
            atomic_store(&l->share.free_ns, 0);
        add(l, 1, 0);
        add(l, 2, 0);
        if (round % 3 < 2)
            assert_near(run_for(l, 4 * SECOND), 4.0 * (8 << 20), 0.06);
        free(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alone_gets_all_and_no_more),
        cmocka_unit_test(tenants_get_equal_shares_however_many_transfers_they_have),
        cmocka_unit_test(shares_are_max_min_fair),
        cmocka_unit_test(the_dead_hold_nothing),
        cmocka_unit_test(one_killed_now_and_then_costs_no_bytes),
        cmocka_unit_test(nothing_is_saved_up),
        cmocka_unit_test(transfers_beyond_the_entries_go_when_others_leave),
        cmocka_unit_test(whatever_stands_in_the_memory_it_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
