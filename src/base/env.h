/* SPDX-License-Identifier: Apache-2.0
 *
 * Environment variables. An empty one counts as not set: a pod's spec can unset a variable only so.
 */
#pragma once

/* NULL if it is not set, or empty. Borrowed, until the environment changes. */
const char *env_get(const char *name);
