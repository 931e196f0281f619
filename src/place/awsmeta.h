/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. What AWS's metadata services answer, as facts. The task metadata endpoint of ECS and Fargate (Amazon
 * ECS Developer Guide, "task metadata endpoint version 4" and 3): the container's own JSON at $URI and the task's at
 * $URI/task. EC2's instance identity document (EC2 User Guide, "Instance identity documents"). Pure; asking is
 * place/metadata.h's.
 */
#pragma once

#include <stddef.h>

#include "place/facts.h"

enum { AWSMETA_MAX = 512 * 1024 }; /* bytes of an answer; a task of many containers has some 100 KiB */

/* Each 0, -EBADMSG for what is no such JSON, -ENOMEM; ret is untouched on failure. What is missing, or is no decent
 * text, stays unknown. */
int awsmeta_parse_container(const char *json, size_t size, struct facts *ret);
int awsmeta_parse_task(const char *json, size_t size, struct facts *ret);
int awsmeta_parse_instance(const char *json, size_t size, struct facts *ret);
