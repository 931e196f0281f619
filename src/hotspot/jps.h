/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A java command, "shop.Cart -v x" or "/opt/cart.jar x", split as the JDK's jps does: at the first
 * blank, even if that is within a path.
 */
#pragma once

#include <stddef.h>

/* The length of the class, jar or module at the beginning; *ret_arguments: the text after the blank, "" for none. */
size_t jps_class(const char *command, const char **ret_arguments);

/* The short name of a class (size bytes): "Cart" of shop.Cart, "cart.jar" of /opt/cart.jar. Returns its offset in name;
 * it reaches to the end. */
size_t jps_short(const char *name, size_t size);
