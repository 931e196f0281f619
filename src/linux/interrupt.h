/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGHUP, SIGINT and SIGTERM as something to ask about, for commands that have to tidy up before they die of it. The
 * second one of a kind ends us at once, and what is ignored (nohup) stays so. Not for commands with a loop of their
 * own.
 */
#pragma once

void interrupt_catch(void);

int interrupt_caught(void); /* the signal; 0 while there is none */

/* The signals do again what they did before; dies of the one that was caught: our parent sees the signal in the wait
 * status. */
void interrupt_release(void);
