/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Frames of stacks as all formats have them in common: "com.shop.Cart.add(Cart.java:61)". Modules
 * ("java.base@17.0.15/", "java.base/"), class loaders ("app//"), addresses of hidden classes ("/0x00007f26") and the
 * compiler's mark ("(Compiled Code)") are removed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Writes at most THREAD_TEXT_MAX bytes, without NUL at the end; returns how many. */
size_t thread_frame_clean(const char *frame, size_t size, char *out);
