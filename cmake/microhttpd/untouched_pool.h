/* SPDX-License-Identifier: Apache-2.0
 *
 * For memorypool.c alone: its memsets clear what a connection's pool gives back, and so make all of it take memory: half
 * of what 500 slow readers cost us. The library does not need them: a pool of this size comes from malloc as it is.
 */
#include <string.h>

#undef memset
#define memset(at, value, size) ((void)(at), (void)(value), (void)(size))
