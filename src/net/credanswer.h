/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Answers of services that hand out temporary credentials.
 * - JSON of ECS, EKS Pod Identity and EC2: AccessKeyId, SecretAccessKey, Token, Expiration (Amazon ECS Developer Guide,
 *   "Task IAM role"; EC2 User Guide, "Retrieve security credentials from instance metadata")
 * - JSON of Huawei's ECS: {"credential": {access, secret, securitytoken, expires_at}} (ECS User Guide, "Obtaining
 *   metadata")
 * - XML of STS, AssumeRole and AssumeRoleWithWebIdentity, and its errors (AWS STS API Reference)
 * credanswer_done wipes the credentials. Memory that the parser used meanwhile is not wiped, so processes that hold
 * secrets leave no core (main.c).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { CREDANSWER_MAX = 256 * 1024 }; /* bytes; a token of many session tags has some 10 KiB */

struct credanswer {
    char *access_key, *secret_key; /* owned */
    char *token;                   /* owned; NULL without */
    int64_t expires_ns;            /* 0: not said */
};

void credanswer_done(struct credanswer *a);

/* Each 0; -EBADMSG for what is no such answer, or has no keys; -ENOMEM. ret is untouched on failure. */
int credanswer_parse_json(const char *json, size_t size, struct credanswer *ret);
/* Of a program: "Version": 1, and a SessionToken. An Expiration that is no time is no answer. */
int credanswer_parse_process(const char *json, size_t size, struct credanswer *ret);
int credanswer_parse_huawei(const char *json, size_t size, struct credanswer *ret);
int credanswer_parse_sts(const char *xml, size_t size, struct credanswer *ret);

/* A refusal's code and message, for people; either may stay NULL. Owned by the caller. */
int credanswer_parse_sts_error(const char *xml, size_t size, char **ret_code, char **ret_message);
int credanswer_parse_json_error(const char *json, size_t size, char **ret_code, char **ret_message);
