/* SPDX-License-Identifier: Apache-2.0
 *
 * The container that a process is in. Knows no pod (place/whoami.h), and asks no runtime.
 */
#pragma once

#include <stdbool.h>

#include "place/containerid.h"

/* proc: a descriptor of /proc/PID. False, and ret untouched, if it is in none that is known, or may not be looked at.
 */
bool container_of_process(int proc, char ret[CONTAINERID_MAX]);
