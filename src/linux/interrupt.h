/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGHUP, SIGINT and SIGTERM as a flag to poll, for commands that must clean up before they end. A second signal of the
 * same kind ends the process at once, and an ignored signal (nohup) stays ignored. Not for commands with an event loop.
 */
#pragma once

void interrupt_catch(void);

int interrupt_caught(void); /* the signal; 0 while there is none */

/* Restores the previous actions. If a signal was caught, raises it again, so that our parent sees it in the wait
 * status. */
void interrupt_release(void);
