/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The XML answers of S3, by expat, without DTDs and entities (AWS API Reference: Error,
 * InitiateMultipartUpload, CompleteMultipartUpload, ListObjectsV2, ListObjects, ListMultipartUploads). Namespaces are
 * ignored: stores differ. Keys and markers are given as they stand: with encoding-type=url the caller decodes them.
 * ETags are given without their quotes, which some stores leave out; one longer than its field counts as unknown ("").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct s3_error {
    char code[64]; /* "SlowDown" */
    char message[256];
    char request_id[64];
    char region[32]; /* AuthorizationHeaderMalformed, PermanentRedirect */
};

struct s3_entry {
    char *key;       /* a common prefix's ends with the delimiter, and has no more fields */
    char *upload_id; /* ListMultipartUploads only */
    uint64_t size;
    int64_t time_ns; /* LastModified (0: missing) or Initiated (always there) */
    char etag[72];
};

struct s3_listing {
    struct s3_entry *entry; /* owned */
    size_t count;
    bool truncated;       /* there is more, from next on */
    char *next;           /* NextContinuationToken, NextMarker or NextKeyMarker; NULL */
    char *next_upload_id; /* NextUploadIdMarker */
};

/* Each 0, -EBADMSG (not that XML), -ENOMEM; outputs untouched on failure. At most 16 MiB, depth 16, 10,000 entries. */
int s3xml_error(const char *xml, size_t size, struct s3_error *ret); /* also <Error> inside a 200 */
int s3xml_upload_id(const char *xml, size_t size, char **ret);
int s3xml_completed(const char *xml, size_t size, char etag[72]); /* "" if the store left it empty */
int s3xml_objects(const char *xml, size_t size, struct s3_listing *ret);
int s3xml_uploads(const char *xml, size_t size, struct s3_listing *ret);
void s3_listing_done(struct s3_listing *l);
