/* SPDX-License-Identifier: Apache-2.0
 *
 * From options to what they mean.
 */
#include "serve/access_options.h"

#include "base/fault.h"

int access_options_read(struct access_options *o, const char *root, struct access_config *ret, struct err *e)
{
    int r;

    if (o->session_ms < 1000)
        return err_set(e, -FAULT_USAGE, "--session: at least 1s");
    if (!o->kubernetes && (o->kube.api || o->kube.account || o->kube.accounts))
        return err_set(e, -FAULT_USAGE, "--kubernetes-…: without --kubernetes nothing is asked there");
    if (!o->kubernetes && o->kube.agents.count > 0)
        return err_set(e, -FAULT_USAGE, "--agents: without --kubernetes nobody can say whose token it is");
    if (!o->oidc.issuer &&
        (o->oidc.audience || o->oidc.rules.namespaces || o->oidc.rules.admin || o->oidc.rules.prefix))
        return err_set(e, -FAULT_USAGE, "--oidc-…: without --oidc-issuer it means nothing");
    for (unsigned i = 0; i < o->trust_proxy.count; i++)
        if ((r = trusted_proxies_add(&o->proxies, o->trust_proxy.item[i], e)) < 0)
            return r;
    *ret = (struct access_config){.root = root,
                                  .tokens = o->tokens,
                                  .kubernetes = o->kubernetes ? &o->kube : NULL,
                                  .oidc = o->oidc.issuer ? &o->oidc : NULL,
                                  .proxies = o->proxies.count ? &o->proxies : NULL,
                                  .proxy_rules = &o->proxy_rules,
                                  .cookie_key = o->cookie_key,
                                  .session_ms = o->session_ms,
                                  .new_token = o->new_token,
                                  .anonymous_read = o->anonymous_read};
    return 0;
}
