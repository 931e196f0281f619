/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables of the environment. One that is empty is as good as none: that is how a pod's spec unsets it.
 */
#pragma once

/* NULL if it is not set, or empty. Borrowed, until the environment changes. */
const char *env_get(const char *name);
