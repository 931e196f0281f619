/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The head of an HTTP answer: raw lines as they came (RFC 9112, 2.1), the status line first or not
 * there. Finds headers in it. Checks neither the status nor the body's length: the receiver of the head has done
 * that.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The value of the first header of that name (case-insensitive), white space around it removed, into out[size];
 * returns out. NULL without such a header, or if the value does not fit or has a NUL in it: half a value is none. */
const char *httphead_get(const char *head, size_t head_size, const char *name, char *out, size_t size);

/* Retry-After (RFC 9110, 10.2.3) in ms, from seconds or a date; a date is measured from the answer's own Date, as its
 * clock may be wrong, else from now_ns. 0 without, in the past or malformed; at most a day. */
unsigned httphead_retry_after_ms(const char *head, size_t head_size, int64_t now_ns);
