/* SPDX-License-Identifier: Apache-2.0
 *
 * Claims that nothing ships: in the state folder of a destination that the configuration no longer has, or of a watch
 * that was there before the agent.
 */
#pragma once

#include "node/components.h"

/* Logs EVENT_NODE_LEFT_BEHIND for each such folder of the trees. */
void left_behind_report(const struct component_list *l);
