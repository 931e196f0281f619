/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. The workload that a pod belongs to, by the names that Kubernetes' controllers give to pods.
 */
#pragma once

#include <stddef.h>

enum { WORKLOAD_MAX = 254 }; /* bytes with the end: a pod's name has at most 253 */

/* "cart" for "cart-7f9c8d6b5-x2x7q" (Deployment), "cart-x2x7q" (DaemonSet, Job), "cart-0" (StatefulSet),
 * "cart-28945621-x2x7q" (CronJob), "cart-3-x2x7q" (indexed Job); any other name is the workload's as it is. Cut to
 * WORKLOAD_MAX. Returns out. */
const char *workload_of_pod(const char *pod, char out[WORKLOAD_MAX]);
