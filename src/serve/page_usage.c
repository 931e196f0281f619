/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/page.h"
void page_usage(struct request *r)
{
    page_fail(r, 404, "Not yet.");
}
