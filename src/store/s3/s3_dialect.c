/* SPDX-License-Identifier: Apache-2.0
 *
 * The two tables. S3: Amazon S3 API Reference. OBS: Object Storage Service API Reference, chapters "Authentication",
 * "Operations on Objects" and "Operations on Multipart Upload".
 */
#include "store/s3/s3_dialect.h"

#include "net/obssign.h"
#include "net/sigv4.h"

const struct s3_dialect S3_AWS = {
    .name = "s3",
    .object_action = "s3:",
    .bucket_action = "s3:",
    .hosts = &S3_HOSTS_AWS,
    .settings = aws_settings_get,
    .default_region = "us-east-1",
    .credentials = CRED_AWS,
    .sign = sigv4_sign,
    .presign = sigv4_presign,
    .hash_all = true,
    .unsigned_payload = "UNSIGNED-PAYLOAD",
    .header = {.content_sha256 = "x-amz-content-sha256",
               .date = "x-amz-date",
               .token = "x-amz-security-token",
               .meta_sha256 = "x-amz-meta-sha256",
               .request_id = "x-amz-request-id",
               .bucket_region = "x-amz-bucket-region",
               .encryption = "x-amz-server-side-encryption",
               .customer_encryption = "x-amz-server-side-encryption-customer-algorithm"},
    .foreign_etag = "aws:", /* with a customer's key (S3 API Reference, "Object", ETag) */
};

/* x-obs-content-sha256 is checked by newer installations, Content-MD5 by all. Any encryption may change the ETag. */
const struct s3_dialect S3_OBS = {
    .name = "obs",
    .object_action = "obs:object:",
    .bucket_action = "obs:bucket:",
    .hosts = &S3_HOSTS_OBS,
    .settings = obs_settings_get,
    .credentials = CRED_OBS,
    .lacks = {[S3_LACKS_CONDITION] = true, [S3_LACKS_CHECKSUM] = true},
    .sign = obssign_sign,
    .presign = obssign_presign,
    .send_md5 = true,
    .list_by_key = true,
    .header = {.content_sha256 = "x-obs-content-sha256",
               .date = "x-obs-date",
               .token = "x-obs-security-token",
               .meta_sha256 = "x-obs-meta-sha256",
               .request_id = "x-obs-request-id",
               .bucket_region = "x-obs-bucket-location",
               .error_code = "x-obs-error-code",
               .encryption = "x-obs-server-side-encryption",
               .customer_encryption = "x-obs-server-side-encryption-customer-algorithm"},
    .foreign_etag = "",
};
