/* SPDX-License-Identifier: Apache-2.0
 *
 * The deadline: a machine that is a hundred times slower than a quiet laptop still makes it.
 */
#include "ship/analysis_request.h"

enum { LEAST_MS = 10 * 60 * 1000, BYTES_A_MS = 4 * 1000 };

uint64_t analysis_deadline_ms(uint64_t bytes)
{
    return LEAST_MS + bytes / BYTES_A_MS;
}
