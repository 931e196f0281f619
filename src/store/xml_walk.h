/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A walk through a store's XML answer: each element, at its end, with its path ("/Error/Code") and the
 * text in it since its last child. Namespaces and attributes are ignored. At most 16 MiB and 16 levels; no DTD.
 */
#pragma once

#include <stddef.h>

/* 0, -EBADMSG, -ENOMEM. */
typedef int (*xml_element_fn)(void *ctx, const char *path, const char *text);

/* root: what the outermost element must be. 0; -EBADMSG: not that XML, or too large; -ENOMEM; what element returned. */
int xml_walk(const char *xml, size_t size, const char *root, xml_element_fn element, void *ctx);
