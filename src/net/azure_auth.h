/* SPDX-License-Identifier: Apache-2.0
 *
 * What authorises requests to Azure's Blob storage. The first that is there counts:
 *
 *   AZURE_STORAGE_SAS_TOKEN             a shared access signature, part of each URL
 *   AZURE_FEDERATED_TOKEN_FILE          workload identity (AKS): the pod's token is exchanged for one of the storage's;
 *                                       with AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_AUTHORITY_HOST
 *   IDENTITY_ENDPOINT, IDENTITY_HEADER  managed identity of Container Apps and App Service
 *   169.254.169.254                     managed identity of a machine (AZURE_CLIENT_ID: which)
 *
 * (Azure Storage REST API, "Authorize requests"; azure-workload-identity, "Concepts".)
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "net/http.h"

struct azure_auth {
    struct secret *sas;    /* without '?'; or */
    struct secret *bearer; /* "Bearer ..." */
    int64_t expires_ns;    /* 0: not known */
    int64_t renew_at_ns;   /* though it still holds; INT64_MAX: there is nothing to renew */
    const char *source;    /* "AZURE_STORAGE_SAS_TOKEN": for messages; static */
};

/* http: what applies to services on the network. Blocking. -FAULT_CREDENTIALS: none, with where was looked, or one that
 * is broken; -FAULT_EXPIRED: a SAS that has ended; -FAULT_UNREACHABLE and the like. */
int azure_auth_get(const struct http_options *http, struct azure_auth *ret, struct err *e);
void azure_auth_done(struct azure_auth *a);
