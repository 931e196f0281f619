/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages of our own program that only its start needs: code and constants, mapped from its file, of which the kernel
 * maps sixteen where one is touched.
 */
#pragma once

/* Takes them from this process's memory. What is needed again is mapped again; nothing is written or lost. */
void start_pages_drop(void);
