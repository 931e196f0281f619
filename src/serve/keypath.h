/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Paths of requests as keys of objects: percent-decoded (RFC 3986, 2.1), one '/' between parts.
 */
#pragma once

enum { KEYPATH_MAX = 1024 }; /* bytes, decoded: as S3 */

/* "/shop/cart%20a/x" into "shop/cart a/x" and "shop"; both malloc'ed. -EINVAL: parts '.', '..' or empty, a part of more
 * than 255 bytes, control characters, %00, an escaped '/', a malformed escape, no '/' at the beginning, more than
 * KEYPATH_MAX; -ENOMEM. ret_namespace: the part before the first '/', "" without one. Untouched on failure. */
int keypath_decode(const char *path, char **ret_key, char **ret_namespace);
