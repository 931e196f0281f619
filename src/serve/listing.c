/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies in a folder of a root.
 */
#include "serve/route.h"

void listing_folder(struct request *r)
{
    if (!request_may(r, RIGHT_LIST))
        return;
    exchange_answer_text(r->exchange, 501, "no listing yet");
}
