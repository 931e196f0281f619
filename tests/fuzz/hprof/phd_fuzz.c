/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a portable heap dump.
 */
#include "hprof/phd.h"

#include "feed_check.h"

FEED_FUZZER(phd)
