/* SPDX-License-Identifier: Apache-2.0
 *
 * One flag, and the previous actions.
 */
#include "linux/interrupt.h"

#include <signal.h>

#include "base/mem.h"

static const int SIGNALS[] = {SIGHUP, SIGINT, SIGTERM};
static struct sigaction before[ARRAY_SIZE(SIGNALS)];
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

void interrupt_catch(void)
{
    /* No SA_RESTART: a blocking call must return with EINTR. */
    struct sigaction ours = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    caught = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(SIGNALS); i++) {
        sigaction(SIGNALS[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(SIGNALS[i], &ours, NULL);
    }
}

int interrupt_caught(void)
{
    return caught;
}

void interrupt_release(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(SIGNALS); i++)
        sigaction(SIGNALS[i], &before[i], NULL);
    if (caught)
        raise(caught);
}
