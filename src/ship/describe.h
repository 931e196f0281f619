/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of a piece of evidence: its key, from the template, and its manifest. Who we are (place/whoami.h) goes
 * before what others told (place/facts.h). Pure: asks nobody.
 */
#pragma once

#include "codec/codec.h"
#include "place/facts.h"
#include "place/origin.h"
#include "place/whoami.h"
#include "ship/claim.h"
#include "ship/manifest.h"

/* Whose it is: "NAMESPACE/POD", "ecs/CLUSTER/FAMILY/TASK" or "host/HOSTNAME", no part of it hidden, ".." or two.
 * malloc'ed; NULL without memory. */
char *describe_place(const struct whoami *who, const struct facts *facts);

/* Why it was made: what the claim's maker said, else the evidence itself, else the claim's guess. Borrowed. */
const char *describe_cause(const struct claim *c, const struct origin *o);

/* malloc'ed; NULL without memory. */
char *describe_key(const char *template, const struct claim *c, const struct origin *o, const struct whoami *who,
                   const struct facts *facts, const struct codec *codec);

/* The claim's and our own part of the manifest; sizes, digests and the like are the job's. 0 or -ENOMEM. */
int describe_manifest(const struct claim *c, const struct origin *o, const struct whoami *who,
                      const struct facts *facts, const struct codec *codec, const char *key, struct manifest *ret);

const char *describe_content_type(const struct codec *codec);
