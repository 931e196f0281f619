/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a minidump.
 */
#include "core/minidump.h"

#include "feed_check.h"

FEED_FUZZER(minidump)
