/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffers for what is read and sent at once, by many threads in turns: those that wait for a client have none.
 */
#pragma once

enum { SEND_BUFFER_BYTES = 64 * 1024 };

/* NULL: out of memory. Of any thread. */
char *send_buffer_borrow(void);
void send_buffer_return(char *buffer);
