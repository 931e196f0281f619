/* SPDX-License-Identifier: Apache-2.0
 *
 * Heap dumps that lie in the store without a manifest, as `cp` or `curl -T` left them: no cases, but their digests are
 * made. By their names, in a listing; who reads them sees what they are.
 */
#pragma once

#include "serve/catalogue_pass.h"

/* An object of the listing. 0 or -ENOMEM. */
int bare_on_entry(struct refresh *r, const struct sink_listing_entry *entry);

/* After pass_end_listing: says to the catalogue's owner which of them have neither manifest nor digest. */
void bare_say(struct refresh *r);

void bare_done(struct refresh *r);
