/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A java command, "shop.Cart -v x" or "/opt/cart.jar x", taken apart as the JDK's jps does: at the first
 * blank, which may well be one within a path.
 */
#pragma once

#include <stddef.h>

/* The bytes of the class, jar or module at its beginning; *ret_arguments: what is behind the blank, "" for none. */
size_t jps_class(const char *command, const char **ret_arguments);

/* The short name of a class (size bytes): "Cart" of shop.Cart, "cart.jar" of /opt/cart.jar. Where in it that begins;
 * it goes on to its end. */
size_t jps_short(const char *name, size_t size);
