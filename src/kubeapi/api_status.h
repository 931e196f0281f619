/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What the API server says when it refuses a request: a Status of its API ("meta/v1 Status").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { API_STATUS_MAX = 64 * 1024, API_STATUS_MESSAGE_MAX = 200 };

struct api_status {
    char reason[40];                      /* "Forbidden", "AlreadyExists"; "" unknown */
    char message[API_STATUS_MESSAGE_MAX]; /* printable; "" unknown */
    bool namespace_ends;                  /* the namespace is being deleted: nothing is created in it any more */
};

/* ret: all empty if it is no Status. */
void api_status_read(const char *text, size_t size, struct api_status *ret);
