/* SPDX-License-Identifier: Apache-2.0
 *
 * What a refusal of Azure's Blob storage means: its status and code made into one of our faults, and into a line that
 * says what, where and what to do (Blob service REST API, "Blob service error codes").
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* What a request needs to be allowed. */
enum az_action { AZ_READ, AZ_WRITE, AZ_LIST, AZ_DELETE };

struct az_failure {
    long status;
    const char *code, *message; /* "" where the answer left them out */
    unsigned retry_after_ms;
    enum az_action action;
    const char *origin, *container;
    const char *key;    /* whole; NULL: the request was about the container */
    const char *source; /* of the credentials: "AZURE_STORAGE_SAS_TOKEN" */
    bool sas;
};

/* Sets the message, and retry_after_ms, and returns the fault, negative. */
int az_error_explain(const struct az_failure *f, struct err *e);
