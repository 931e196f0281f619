/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What a salvage server says of a caller (/-/api/whoami/NAMESPACE).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SERVER_RIGHTS_MAX = 64 * 1024, SERVER_NAME_MAX = 256 };

struct server_rights {
    char name[SERVER_NAME_MAX];      /* of the caller: "token:ship" */
    char namespace[SERVER_NAME_MAX]; /* that was asked about */
    bool list, read, write, delete;  /* in that one */
    char writes[SERVER_NAME_MAX];    /* a namespace that the caller may write, by its name; "": none is named */
};

/* False: the answer is none of a salvage server; ret is unchanged. */
bool server_rights_read(const char *json, size_t size, struct server_rights *ret);
