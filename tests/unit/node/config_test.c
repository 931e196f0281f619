/* SPDX-License-Identifier: Apache-2.0
 *
 * Configurations as structs, all their errors at once, and the command lines that are made of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "node/components.h"
#include "node/config.h"

static const char SHOP[] = "destinations:\n"
                           "  shop: {url: 's3://evidence/shop', region: eu-west-1, credentials: /secrets/shop}\n"
                           "  rest: {url: 'https://gate/node', credentials: /secrets/rest}\n"
                           "watch: {trees: [/dumps], dir-mode: \"1777\"}\n"
                           "guard: {when: memory>=90%, do: [stats, threads]}\n"
                           "state: /state\n"
                           "grace: 45s\n"
                           "rules:\n"
                           "  - {name: shop, namespaces: [shop, 'shop-*'], destination: shop, guard: {do: stats}}\n"
                           "  - {name: quiet, namespaces: kube-*, destination: rest, watch: no, guard: off}\n"
                           "  - {name: all, namespaces: '*', destination: rest}\n"
                           "  - {name: last, namespaces: x, destination: shop, guard: {do: stats}}\n";

static struct config *good(const char *text)
{
    struct config_errors errors = {0};
    struct config *c = NULL;
    int r = config_read(text, strlen(text), &c, &errors);

    if (r < 0)
        fail_msg("line %u: %s", errors.item[0].line, errors.item[0].text);
    return c;
}

static void a_rule_inherits_what_it_does_not_say(void **state)
{
    CLEANUP(config_free_ptr) struct config *c = good(SHOP);

    (void)state;
    assert_int_equal(c->destinations, 2);
    assert_true(c->destination[1].is_http);
    assert_int_equal(c->grace_ms, 45000);
    assert_int_equal(c->rules, 4);
    assert_ptr_equal(c->rule[0].to, &c->destination[0]);
    assert_string_equal(c->rule[0].guard.when.item[0], "memory>=90%");
    assert_int_equal(c->rule[0].guard.actions.count, 1);
    assert_string_equal(c->rule[0].guard.actions.item[0], "stats");
    assert_true(c->rule[0].watch);
    assert_false(c->rule[1].watch);
    assert_false(c->rule[1].guard.on);
    assert_true(c->rule[2].guard.on);
    assert_int_equal(c->rule[2].guard.actions.count, 2);
}

static void nothing_is_done_that_was_not_asked_for(void **state)
{
    CLEANUP(config_free_ptr)
    struct config *c =
        good("destinations: {a: {url: 'file:///a'}}\nrules: [{name: r, namespaces: ['*'], destination: a}]\n");

    (void)state;
    assert_false(c->rule[0].watch);
    assert_false(c->rule[0].guard.on);
}

static void all_errors_are_found_at_once(void **state)
{
    static const char text[] = "destinations:\n"
                               "  shop: {url: 'file:///a', regoin: x}\n"
                               "  Shop: {url: 'gopher://x'}\n"
                               "stat: /state\n"
                               "rules:\n"
                               "  - {name: a, namespaces: a, destination: shpo}\n"
                               "  - {name: a, namespaces: 'A_b', destination: shop, watch: maybe}\n"
                               "  - {name: a, namespaces: '!b', destination: shop}\n"
                               "  - name: c\n"
                               "    namespaces: c\n"
                               "    destinaton: shop\n"
                               "  - {name: d, namespaces: d, destination: shop, guard: {cooldown: soon}}\n"
                               "cores: {dir: here, rat: 1/day}\n";
    static const struct {
        unsigned line;
        const char *text;
    } expected[] = {
        {4, "unknown key \"stat\" of the configuration; did you mean \"state\"?"},
        {2, "unknown key \"regoin\" of a destination; did you mean \"region\"?"},
        {3, "destination \"Shop\": a name has"},
        {3, "unknown scheme"},
        {13, "dir: an absolute path is needed"},
        {13, "unknown key \"rat\" of cores; did you mean \"rate\"?"},
        {6, "there is no destination \"shpo\"; did you mean \"shop\"?"},
        {7, "watch: true or false is needed"},
        {8, "there are two rules \"a\""},
        {8, "namespaces: \"!b\""},
        {9, "a rule needs \"destination\""},
        {11, "unknown key \"destinaton\" of a rule; did you mean \"destination\"?"},
        {12, "cooldown: this is no time"},
    };
    struct config_errors errors = {0};
    struct config *c = NULL;

    (void)state;
    assert_int_equal(config_read(text, strlen(text), &c, &errors), -EINVAL);
    assert_null(c);
    for (size_t i = 0; i < ARRAY_SIZE(expected) && i < errors.count; i++) {
        if (errors.item[i].line != expected[i].line || !strstr(errors.item[i].text, expected[i].text))
            fail_msg("%u: %s", errors.item[i].line, errors.item[i].text);
    }
    assert_int_equal(errors.count, ARRAY_SIZE(expected));
}

static void assert_component(const struct component_spec *s, const char *name, const char *command)
{
    CLEANUP(buf_done) struct buf line = {0};

    for (size_t i = 1; i < s->args.count; i++)
        assert_int_equal(buf_printf(&line, "%s%s", i > 1 ? " " : "", s->args.item[i]), 0);
    assert_string_equal(s->name, name);
    assert_string_equal(buf_text(&line), command);
}

/* The namespaces of earlier rules are left out, by the same order everywhere: each pod has one watch and one guard. */
static void each_destination_has_a_watch_and_each_set_of_settings_a_guard(void **state)
{
    CLEANUP(config_free_ptr) struct config *c = good(SHOP);
    CLEANUP(component_list_done) struct component_list l = {0};

    (void)state;
    assert_int_equal(component_list_make(c, LOG_JSON, &l), 0);
    assert_int_equal(l.count, 4);
    assert_component(&l.item[0], "watch/shop",
                     "watch /dumps --recursive --layout=namespace/pod --state=/dumps/.salvage-shop --dir-mode=1777 "
                     "--grace=45000ms --namespace=shop --namespace=shop-* --namespace=!kube-* --namespace=!* "
                     "--namespace=x --to=s3://evidence/shop --region=eu-west-1 --log=json --keep-free=17%");
    assert_component(&l.item[1], "watch/rest",
                     "watch /dumps --recursive --layout=namespace/pod --state=/dumps/.salvage-rest --dir-mode=1777 "
                     "--grace=45000ms --namespace=!shop --namespace=!shop-* --namespace=!kube-* --namespace=* "
                     "--to=https://gate/node --credentials-file=/secrets/rest --log=json --keep-free=17%");
    assert_component(&l.item[2], "guard/shop",
                     "guard --all --when=memory>=90% --do=stats --share=/state/run/guards --at-once-all=4 "
                     "--state=/state/guard-shop --give-up=600000ms "
                     "--namespace=shop --namespace=shop-* --namespace=!kube-* --namespace=!* --namespace=x "
                     "--to=s3://evidence/shop --region=eu-west-1 --log=json");
    assert_component(&l.item[3], "guard/all",
                     "guard --all --when=memory>=90% --do=stats --do=threads --share=/state/run/guards --at-once-all=4 "
                     "--state=/state/guard-all "
                     "--give-up=600000ms --namespace=!shop --namespace=!shop-* --namespace=!kube-* --namespace=* "
                     "--to=https://gate/node --credentials-file=/secrets/rest --log=json");
    assert_string_equal(l.item[0].credentials, "/secrets/shop");
}

static void cores_go_where_their_rule_says_and_the_spool_is_watched(void **state)
{
    static const char text[] = "destinations: {a: {url: 'file:///a'}, b: {url: 'file:///b', credentials: /k}}\n"
                               "cores: {dir: /c, rate: 5/hour, spool: /s, any-limit: yes, pattern: socket}\n"
                               "rules:\n"
                               "  - {name: one, namespaces: [x, 'y-*'], destination: b}\n"
                               "  - {name: none, namespaces: z, destination: a, cores: no}\n"
                               "  - {name: rest, namespaces: '*', destination: a}\n";
    CLEANUP(config_free_ptr) struct config *c = good(text);
    CLEANUP(component_list_done) struct component_list l = {0};

    (void)state;
    assert_int_equal(component_list_make(c, LOG_TEXT, &l), 0);
    assert_string_equal(l.cores.dir, "/c");
    assert_int_equal(l.cores.sets, 2);
    assert_component(&l.cores.set[0], "cores/a",
                     "core install --dir=/c --rate=5/hour --spool=/s/a --any-limit --namespace=!x --namespace=!y-* "
                     "--namespace=!z --namespace=* --to=file:///a --log=text");
    assert_component(&l.cores.set[1], "cores/b",
                     "core install --dir=/c --rate=5/hour --spool=/s/b --any-limit --namespace=x --namespace=y-* "
                     "--to=file:///b --log=text");
    assert_string_equal(l.cores.set[1].credentials, "/k");
    assert_int_equal(l.count, 3);
    assert_component(&l.item[0], "cores-spool/a",
                     "watch /s/a --recursive --layout=namespace/pod --dir-mode=700 --core-spool --state=/s/a/.salvage "
                     "--grace=25000ms "
                     "--to=file:///a --log=text --keep-free=17%");
    assert_component(&l.item[2], "cores", "core serve --dir=/c");
    assert_string_equal(l.item[2].follows, "/c/config.json");
}

static bool has_argument(const struct component_spec *s, const char *wanted)
{
    for (size_t i = 0; i < s->args.count; i++)
        if (strcmp(s->args.item[i], wanted) == 0)
            return true;
    return false;
}

/* By the first watch of a destination, which has no folder of its own if there is no tree. */
static void folders_in_pods_are_watched_by_rules(void **state)
{
    static const char rules[] = "destinations: {a: {url: 'file:///a'}, b: {url: 'file:///b'}}\n"
                                "state: /state\n"
                                "rules:\n"
                                "  - {name: one, namespaces: x, destination: a}\n"
                                "  - {name: none, namespaces: z, destination: b, watch: no}\n"
                                "  - {name: two, namespaces: '*', destination: a}\n";
    static const char wrong[] = "destinations: {a: {url: 'file:///a'}}\n"
                                "pods: no\n"
                                "watch: {volumes: yes}\n"
                                "rules: [{name: a, namespaces: a, destination: a}]\n";
    char text[1024];
    struct config_errors errors = {0};
    struct config *none = NULL;

    (void)state;
    snprintf(text, sizeof(text), "%skubelet: /k\nwatch: {volumes: yes, retain-age: 1d}\n", rules);
    {
        CLEANUP(config_free_ptr) struct config *c = good(text);
        CLEANUP(component_list_done) struct component_list l = {0};

        assert_int_equal(component_list_make(c, LOG_TEXT, &l), 0);
        assert_int_equal(l.count, 1);
        assert_component(&l.item[0], "watch/a",
                         "watch --retain-age=1d --grace=25000ms --pods=/state/run/pods.json "
                         "--pod-rule=one --pod-rule=two --kubelet=/k --to=file:///a --log=text --keep-free=17%");
    }
    snprintf(text, sizeof(text), "%swatch: {volumes: yes, trees: [/d, /e]}\n", rules);
    {
        CLEANUP(config_free_ptr) struct config *c = good(text);
        CLEANUP(component_list_done) struct component_list l = {0};

        assert_int_equal(component_list_make(c, LOG_TEXT, &l), 0);
        assert_int_equal(l.count, 2);
        assert_true(has_argument(&l.item[0], "--kubelet=/var/lib/kubelet"));
        assert_false(has_argument(&l.item[1], "--kubelet=/var/lib/kubelet"));
    }
    assert_int_equal(config_read(wrong, strlen(wrong), &none, &errors), -EINVAL);
    assert_int_equal(errors.item[0].line, 3);
    assert_string_equal(errors.item[0].text, "watch: volumes: annotations are not known with \"pods: false\"");
}

static void requests_are_one_component_and_a_rule_may_refuse_them(void **state)
{
    static const char text[] = "destinations: {a: {url: 'file:///a'}}\n"
                               "pod-logs: /logs\n"
                               "pods: {node: n1}\n"
                               "state: /state\n"
                               "requests: {url: 'https://serve:8443/', ca-file: /ca, credentials: /token}\n"
                               "rules:\n"
                               "  - {name: one, namespaces: x, destination: a}\n"
                               "  - {name: none, namespaces: z, destination: a, requests: no}\n";
    static const char wrong[] = "destinations: {a: {url: 'file:///a'}}\n"
                                "requests: {url: 's3://bucket'}\n"
                                "rules: [{name: one, namespaces: x, destination: a}]\n";
    CLEANUP(config_free_ptr) struct config *c = good(text), *none = NULL;
    CLEANUP(component_list_done) struct component_list l = {0};
    struct config_errors errors = {0};

    (void)state;
    c->path = "/node.yaml";
    assert_int_equal(component_list_make(c, LOG_JSON, &l), 0);
    assert_int_equal(l.count, 2);
    assert_string_equal(l.item[0].name, "pods");
    assert_component(&l.item[1], "requests",
                     "node-requests --config=/state/run/node.yaml --url=https://serve:8443/ --ca-file=/ca "
                     "--credentials-file=/token --node=n1 --pods=/state/run/pods.json --pod-logs=/logs --log=json");
    assert_null(l.item[1].credentials); /* they are read again by the component itself */
    assert_true(c->rule[0].requests);
    assert_false(c->rule[1].requests);
    assert_int_equal(config_read(wrong, strlen(wrong), &none, &errors), -EINVAL);
    assert_string_equal(errors.item[0].text, "requests: url: \"s3://bucket\" is no address of a server (https://...)");
}

static void pods_are_armed_that_ask_for_it_or_by_their_rule(void **state)
{
    static const char text[] = "destinations: {a: {url: 'file:///a'}}\n"
                               "watch: {trees: [/dumps], volumes: yes}\n"
                               "state: /state\n"
                               "arm: yes\n"
                               "rules:\n"
                               "  - {name: all, namespaces: x, destination: a, arm: true}\n"
                               "  - {name: none, namespaces: y, destination: a, arm: no}\n"
                               "  - {name: left, namespaces: v, destination: a, watch: no}\n"
                               "  - {name: asks, namespaces: z, destination: a}\n";
    static const char wrong[] = "destinations: {a: {url: 'file:///a'}}\n"
                                "rules:\n"
                                "  - {name: r, namespaces: x, destination: a, arm: maybe}\n"
                                "  - {name: s, namespaces: x, destination: a, arm: true}\n";
    CLEANUP(config_free_ptr) struct config *c = good(text), *none = NULL;
    CLEANUP(component_list_done) struct component_list l = {0};
    struct config_errors errors = {0};

    (void)state;
    assert_int_equal(component_list_make(c, LOG_JSON, &l), 0);
    assert_int_equal(l.count, 2);
    assert_component(&l.item[1], "arm",
                     "node-arm --pods=/state/run/pods.json --kubelet=/var/lib/kubelet --tree=/dumps --arm-rule=all "
                     "--asked-rule=asks --log=json");
    assert_int_equal(config_read(wrong, strlen(wrong), &none, &errors), -EINVAL);
    assert_int_equal(errors.count, 2);
    assert_string_equal(errors.item[0].text, "arm: true or false is needed");
    assert_int_equal(errors.item[1].line, 4);
    assert_non_null(strstr(errors.item[1].text, "Nothing is watched by this rule"));
}

/* By files that all of them name. */
static void components_share_what_the_agent_and_a_destination_may_send(void **state)
{
    CLEANUP(config_free_ptr)
    struct config *c = good("destinations:\n"
                            "  a: {url: 'file:///a', bandwidth: 5M}\n"
                            "  b: {url: 'file:///b'}\n"
                            "limits: {bandwidth: 100Mbit, captures: 2, captures-namespace: 1}\n"
                            "watch: {trees: /dumps}\n"
                            "guard: on\n"
                            "state: /state\n"
                            "rules:\n"
                            "  - {name: a, namespaces: a, destination: a}\n"
                            "  - {name: b, namespaces: b, destination: b}\n");
    CLEANUP(component_list_done) struct component_list l = {0};

    (void)state;
    assert_int_equal(component_list_make(c, LOG_JSON, &l), 0);
    assert_int_equal(l.count, 4);
    for (size_t i = 0; i < l.count; i++) {
        bool guard = strncmp(l.item[i].name, "guard", 5) == 0;

        assert_true(has_argument(&l.item[i], "--bandwidth=100Mbit@/state/run/bandwidth"));
        assert_int_equal(has_argument(&l.item[i], "--share=/state/run/guards"), guard);
        assert_int_equal(has_argument(&l.item[i], "--at-once-all=2"), guard);
        assert_int_equal(has_argument(&l.item[i], "--at-once=1"), guard);
        assert_int_equal(has_argument(&l.item[i], "--bandwidth=5M@/state/run/bandwidth-a"),
                         strstr(l.item[i].name, "/a") != NULL);
    }
}

/* Which runs on the host, and sees nothing of the agent's but its own folder. */
static void with_the_handler_of_cores_too(void **state)
{
    CLEANUP(config_free_ptr)
    struct config *c = good("destinations: {a: {url: 'file:///a'}}\n"
                            "limits: {bandwidth: 10M}\n"
                            "guard: on\n"
                            "cores: {dir: /cores}\n"
                            "rules: [{name: a, namespaces: a, destination: a}]\n");
    CLEANUP(component_list_done) struct component_list l = {0};

    (void)state;
    assert_int_equal(component_list_make(c, LOG_JSON, &l), 0);
    assert_true(has_argument(&l.item[0], "--bandwidth=10M@/cores/bandwidth"));
    assert_true(has_argument(&l.cores.set[0], "--bandwidth=10M@/cores/bandwidth"));
}

/* 17 % by default: the kubelet evicts at 15 % and 10 %. */
static void watches_share_the_disk(void **state)
{
    CLEANUP(config_free_ptr)
    struct config *c = good("destinations: {a: {url: 'file:///a'}, b: {url: 'file:///b'}}\n"
                            "limits: {disk: 20G, disk-namespace: 5G, keep-free: 25%}\n"
                            "watch: {trees: [/x, /y]}\n"
                            "rules:\n"
                            "  - {name: a, namespaces: a, destination: a}\n"
                            "  - {name: b, namespaces: b, destination: b}\n");
    CLEANUP(component_list_done) struct component_list l = {0};
    unsigned watches = 0;

    (void)state;
    assert_int_equal(component_list_make(c, LOG_JSON, &l), 0);
    for (size_t i = 0; i < l.count; i++) {
        if (strncmp(l.item[i].name, "watch", 5) != 0)
            continue;
        watches++;
        assert_true(has_argument(&l.item[i], "--retain-bytes=5368709120"));
        assert_true(has_argument(&l.item[i], "--retain-bytes-tenant=5G"));
        assert_true(has_argument(&l.item[i], "--keep-free=25%"));
    }
    assert_int_equal(watches, 4);
}

static void limits_that_make_no_sense_are_errors_with_their_line(void **state)
{
    static const char text[] = "destinations:\n"
                               "  a: {url: 'file:///a', bandwidth: fast}\n"
                               "limits:\n"
                               "  bandwith: 100Mbit\n"
                               "rules: [{name: a, namespaces: a, destination: a}]\n";
    struct config_errors errors = {0};
    struct config *c = NULL;

    (void)state;
    assert_int_equal(config_read(text, strlen(text), &c, &errors), -EINVAL);
    assert_int_equal(errors.count, 2);
    assert_int_equal(errors.item[0].line, 2);
    assert_non_null(strstr(errors.item[0].text, "bandwidth: 'fast' is no rate"));
    assert_int_equal(errors.item[1].line, 4);
    assert_non_null(strstr(errors.item[1].text, "did you mean \"bandwidth\"?"));
}

/* Of each pod one component records the kills. */
static void kills_are_recorded_once_and_all_give_notices(void **state)
{
    static const char text[] =
        "destinations: {a: {url: 'file:///a', public-url: 'https://pages.example'}, b: {url: 'file:///b'}}\n"
        "guard: {when: 'memory>=90%'}\n"
        "kills: true\n"
        "notify: [kubernetes, 'shop=kubernetes-annotation']\n"
        "notify-file: /etc/targets\n"
        "notify-every: 1h\n"
        "state: /state\n"
        "rules:\n"
        "  - {name: one, namespaces: x, destination: a, guard: no}\n"
        "  - {name: two, namespaces: y, destination: a}\n"
        "  - {name: none, namespaces: z, destination: b, guard: no, kills: no}\n"
        "  - {name: rest, namespaces: '*', destination: a, guard: no}\n";
    CLEANUP(config_free_ptr) struct config *c = good(text);
    CLEANUP(component_list_done) struct component_list l = {0};

    (void)state;
    assert_int_equal(component_list_make(c, LOG_TEXT, &l), 0);
    assert_int_equal(l.count, 2);
    assert_component(&l.item[0], "guard/two",
                     "guard --all --when=memory>=90% --share=/state/run/guards --at-once-all=4 "
                     "--state=/state/guard-two --give-up=600000ms --namespace=!x "
                     "--namespace=y --notify=kubernetes --notify=shop=kubernetes-annotation "
                     "--notify-file=/etc/targets --notify-every=1h --public-url=https://pages.example --to=file:///a "
                     "--log=text");
    assert_component(&l.item[1], "kills/a",
                     "guard --all --kills-only --state=/state/kills-a --namespace=x --namespace=!y --namespace=!z "
                     "--namespace=* --notify=kubernetes --notify=shop=kubernetes-annotation "
                     "--notify-file=/etc/targets --notify-every=1h --public-url=https://pages.example --to=file:///a "
                     "--log=text");
}

/* A pod that the table does not have is not sent to the destination of a rule that asks for labels. */
static void rules_with_labels_are_known_by_the_table_alone(void **state)
{
    static const char text[] = "destinations: {a: {url: 'file:///a'}, b: {url: 'file:///b'}}\n"
                               "cores: {dir: /c}\n"
                               "rules:\n"
                               "  - {name: team, namespaces: '*', labels: {team: x}, destination: b}\n"
                               "  - {name: rest, namespaces: '*', destination: a}\n";
    CLEANUP(config_free_ptr) struct config *c = good(text);
    CLEANUP(component_list_done) struct component_list l = {0};

    (void)state;
    assert_int_equal(component_list_make(c, LOG_TEXT, &l), 0);
    assert_component(
        &l.cores.set[0], "cores/a",
        "core install --dir=/c --pods=/c/pods.json --pod-rule=rest --namespace=* --to=file:///a --log=text");
    assert_component(
        &l.cores.set[1], "cores/b",
        "core install --dir=/c --pods=/c/pods.json --pod-rule=team --namespace=!* --to=file:///b --log=text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_inherits_what_it_does_not_say),
        cmocka_unit_test(nothing_is_done_that_was_not_asked_for),
        cmocka_unit_test(all_errors_are_found_at_once),
        cmocka_unit_test(requests_are_one_component_and_a_rule_may_refuse_them),
        cmocka_unit_test(pods_are_armed_that_ask_for_it_or_by_their_rule),
        cmocka_unit_test(folders_in_pods_are_watched_by_rules),
        cmocka_unit_test(cores_go_where_their_rule_says_and_the_spool_is_watched),
        cmocka_unit_test(kills_are_recorded_once_and_all_give_notices),
        cmocka_unit_test(rules_with_labels_are_known_by_the_table_alone),
        cmocka_unit_test(each_destination_has_a_watch_and_each_set_of_settings_a_guard),
        cmocka_unit_test(components_share_what_the_agent_and_a_destination_may_send),
        cmocka_unit_test(with_the_handler_of_cores_too),
        cmocka_unit_test(watches_share_the_disk),
        cmocka_unit_test(limits_that_make_no_sense_are_errors_with_their_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
