/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of access.
 */
#pragma once

#include "base/opt.h"
#include "serve/access.h"
#include "serve/kube_access.h"
#include "serve/oidc.h"
#include "serve/trusted_proxy.h"

/* As parsed; embedded in the command's options. */
struct access_options {
    const char *tokens, *cookie_key;
    struct kube_access_config kube;
    struct oidc_config oidc;
    struct opt_list trust_proxy;
    struct claim_rules proxy_rules;
    struct trusted_proxies proxies; /* made of trust_proxy by access_options_read */
    uint64_t session_ms;
    bool new_token, anonymous_read, kubernetes;
};

/* clang-format off */
#define ACCESS_ROW(type, name, arg, fallback, o, field, help) {type, 0, name, arg, fallback, offsetof(o, field), help}

/* Rows for a command's table; `o`: the type of its options, `a`: the access_options in it. */
#define ACCESS_OPTIONS(o, a)                                                                                           \
    {OPT_HEADING, .name = "Access"},                                                                                   \
    ACCESS_ROW(OPT_STRING, "tokens", "FILE", NULL, o, a.tokens,                                                        \
               "a line for each token: name, token or sha256:HEX, list,read,write,delete,admin,agent, namespaces; read again " \
               "when it changes"),                                                                                     \
    ACCESS_ROW(OPT_FLAG, "new-token", NULL, NULL, o, a.new_token,                                                      \
               "with --root: make another token for its administrator; the one of before is no longer valid"),         \
    ACCESS_ROW(OPT_FLAG, "anonymous-read", NULL, NULL, o, a.anonymous_read,                                            \
               "anybody who can connect may list and download"),                                                       \
    ACCESS_ROW(OPT_FLAG, "kubernetes", NULL, NULL, o, a.kubernetes,                                                    \
               "tokens of Kubernetes: a pod's, projected for us, may write in its namespace; a person may what they may " \
               "do to its pods"),                                                                                      \
    ACCESS_ROW(OPT_STRING, "kubernetes-audience", "NAME", "salvage", o, a.kube.audience,                               \
               "audience of the tokens that pods project for us"),                                                     \
    ACCESS_ROW(OPT_STRING, "kubernetes-list", "VERB RESOURCE", "get pods/log", o, a.kube.list,                         \
               "who may do this in a namespace sees its cases and why"),                                               \
    ACCESS_ROW(OPT_STRING, "kubernetes-read", "VERB RESOURCE", "create pods/exec", o, a.kube.read,                     \
               "who may do this in a namespace downloads its evidence and looks into it"),                             \
    ACCESS_ROW(OPT_STRING, "kubernetes-delete", "VERB RESOURCE", "delete pods", o, a.kube.delete,                      \
               "who may do this in a namespace deletes its evidence"),                                                 \
    ACCESS_ROW(OPT_FLAG, "kubernetes-accounts", NULL, NULL, o, a.kube.accounts,                                        \
               "service accounts' tokens without that audience count as a person's: any pod's default token"),         \
    ACCESS_ROW(OPT_LIST, "agents", "NAMESPACE/ACCOUNT", NULL, o, a.kube.agents,                                        \
               "service account of the nodes' agents, by tokens with that audience: they take what persons ask for of a " \
               "pod, and may write in every namespace; may be repeated"),                                              \
    ACCESS_ROW(OPT_STRING, "kubernetes-api", "URL", NULL, o, a.kube.api,                                               \
               "the API server; default: as a pod finds it"),                                                          \
    ACCESS_ROW(OPT_STRING, "kubernetes-account", "DIR", NULL, o, a.kube.account,                                       \
               "folder with token and ca.crt; default: the pod's service account"),                                    \
    ACCESS_ROW(OPT_STRING, "oidc-issuer", "URL", NULL, o, a.oidc.issuer,                                               \
               "tokens of this OpenID Connect issuer, signed by RS256, PS256 or ES256"),                               \
    ACCESS_ROW(OPT_STRING, "oidc-audience", "NAME", NULL, o, a.oidc.audience, "audience that its tokens must have"),   \
    ACCESS_ROW(OPT_STRING, "oidc-namespaces", "CLAIM", NULL, o, a.oidc.rules.namespaces,                               \
               "a claim with namespaces, such as groups: 'shop' may be read, 'shop:write+delete' more"),               \
    ACCESS_ROW(OPT_STRING, "oidc-prefix", "TEXT", NULL, o, a.oidc.rules.prefix,                                        \
               "values of that claim count if they begin with this, without it"),                                      \
    ACCESS_ROW(OPT_STRING, "oidc-admin", "CLAIM=VALUE", NULL, o, a.oidc.rules.admin,                                   \
               "whose claim has this value may everything"),                                                           \
    ACCESS_ROW(OPT_STRING, "oidc-ca-file", "FILE", NULL, o, a.oidc.ca_file, "PEM file of the CAs to trust for the issuer"), \
    ACCESS_ROW(OPT_LIST, "trust-proxy", "ADDRESS", NULL, o, a.trust_proxy,                                             \
               "address or network of a proxy, such as oauth2-proxy, whose X-Forwarded-User, -Groups, -Email, -For and " \
               "-Proto are believed; may be repeated"),                                                                \
    ACCESS_ROW(OPT_STRING, "proxy-prefix", "TEXT", NULL, o, a.proxy_rules.prefix,                                      \
               "groups of X-Forwarded-Groups are namespaces if they begin with this, without it"),                     \
    ACCESS_ROW(OPT_STRING, "proxy-admin", "GROUP", NULL, o, a.proxy_rules.admin, "who is in this group may everything"), \
    ACCESS_ROW(OPT_DURATION, "session", "DURATION", "12h", o, a.session_ms, "how long a browser stays signed in"),     \
    ACCESS_ROW(OPT_STRING, "cookie-key", "FILE", NULL, o, a.cookie_key,                                                \
               "32 random bytes or more: replicas that share it accept each other's sign-ins and signed links; default: " \
               "kept in the root, or made at each start")
/* clang-format on */

/* What was parsed, as access_new wants it; borrows from o. root: of --root, NULL without. */
int access_options_read(struct access_options *o, const char *root, struct access_config *ret, struct err *e);
