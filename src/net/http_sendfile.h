/* SPDX-License-Identifier: Apache-2.0
 *
 * A file that is cut while libmicrohttpd (0.9.75) sends it: sendfile(2) returns 0, which the library takes for
 * progress, and it tries again for ever. Its call comes to us instead: the end of the file is an error, and the library
 * closes the connection.
 */
#pragma once

/* Does nothing: a program that calls it is linked with our sendfile64. */
void http_sendfile_replace(void);
