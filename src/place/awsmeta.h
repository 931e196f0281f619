/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Parses answers of AWS's metadata services into facts. The task metadata endpoint of ECS and Fargate
 * (Amazon ECS Developer Guide, "task metadata endpoint version 4" and 3): the container's own JSON at $URI and the
 * task's at $URI/task. EC2's instance identity document (EC2 User Guide, "Instance identity documents").
 * place/metadata.h sends the requests.
 */
#pragma once

#include <stddef.h>

#include "place/facts.h"

enum { AWSMETA_MAX = 512 * 1024 }; /* bytes of an answer; a task of many containers has some 100 KiB */

/* Each: 0, -EBADMSG if it is not such JSON, -ENOMEM; ret is untouched on failure. Missing or malformed values stay
 * unknown. */
int awsmeta_parse_container(const char *json, size_t size, struct facts *ret);
int awsmeta_parse_task(const char *json, size_t size, struct facts *ret);
int awsmeta_parse_instance(const char *json, size_t size, struct facts *ret);
