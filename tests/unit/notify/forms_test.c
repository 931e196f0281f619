/* SPDX-License-Identifier: Apache-2.0
 *
 * Notices in the form of each service: what stands where, and that foreign text becomes neither markup nor too long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "notify/forms.h"

static const int64_t NOW = INT64_C(1795917605000000000); /* 2026-11-29T02:00:05Z */

static struct notice cart(void)
{
    return (struct notice){.id = "shop/cart-7f9c/20261129T020005Z-java-oom-0123456789abcdef",
                           .sentence = "java ran out of heap: \"Java heap space\" <b>&",
                           .place = "shop/cart-7f9c",
                           .namespace = "shop",
                           .workload = "cart",
                           .pod = "cart-7f9c",
                           .cause = "java-oom",
                           .kind = "heap-dump",
                           .link = "https://salvage.example/-/case/x",
                           .time_ns = NOW,
                           .size = 1610612736,
                           .stored_size = 314572800};
}

static json_t *made(int (*form)(const struct notice *, int64_t, struct buf *), const struct notice *n)
{
    CLEANUP(buf_done) struct buf body = {0};
    json_t *root;

    assert_int_equal(form(n, NOW, &body), 0);
    root = json_loadb(body.data, body.size, 0, NULL);
    assert_non_null(root);
    return root;
}

/* The text at a path of keys and indices: "blocks.0.text". */
static const char *text_at(json_t *at, const char *path)
{
    CLEANUP_FREE char *copy = strdup(path);
    char *rest = copy, *name;

    while (at && (name = strsep(&rest, ".")))
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
    return json_string_value(at) ? json_string_value(at) : "(none)";
}

static void a_cloud_event_has_its_attributes(void **state)
{
    struct notice n = cart();
    json_auto_t *event = made(form_cloudevent, &n);

    (void)state;
    assert_string_equal(text_at(event, "specversion"), "1.0");
    assert_string_equal(text_at(event, "type"), "dev.salvage.case");
    assert_string_equal(text_at(event, "subject"), n.id);
    assert_string_equal(text_at(event, "time"), "2026-11-29T02:00:05.000Z");
    assert_string_equal(text_at(event, "data.cause"), "java-oom");
    assert_string_equal(text_at(event, "data.sentence"), n.sentence);
}

static void an_alert_is_named_by_labels_and_ends_by_itself(void **state)
{
    struct notice n = cart();
    json_auto_t *alerts = made(form_alertmanager, &n);

    (void)state;
    assert_string_equal(text_at(alerts, "0.labels.alertname"), "SalvageCase");
    assert_string_equal(text_at(alerts, "0.labels.workload"), "cart");
    assert_string_equal(text_at(alerts, "0.annotations.summary"), n.sentence);
    assert_string_equal(text_at(alerts, "0.endsAt"), "2026-11-29T03:00:05.000Z");
    assert_string_equal(text_at(alerts, "0.generatorURL"), n.link);
}

static struct notice of_a_heap(void)
{
    struct notice n = cart();

    n.summary = "Thread \"http-8\" ran out of memory at com.shop.Cart.add(Cart.java:61)";
    n.top = (struct notice_top){3, {{"byte[]", 9, 640667648}, {"com.shop.Order", 8, 315621376}, {"int[]", 7, 1024}}};
    return n;
}

static void all_say_what_the_evidence_says_and_three_classes(void **state)
{
    static const char line[] = "byte[] 611.0 MiB, com.shop.Order 301.0 MiB, int[] 1.0 KiB";
    struct notice n = of_a_heap();
    json_auto_t *event = made(form_cloudevent, &n), *command = made(form_command, &n), *alerts = NULL, *slack = NULL,
                *teams = NULL, *discord = NULL;

    (void)state;
    assert_string_equal(text_at(event, "data.summary"), n.summary);
    assert_string_equal(text_at(event, "data.top.1.name"), "com.shop.Order");
    assert_int_equal(json_array_size(json_object_get(command, "top")), 3);
    alerts = made(form_alertmanager, &n);
    assert_string_equal(text_at(alerts, "0.annotations.evidence"), n.summary);
    assert_string_equal(text_at(alerts, "0.annotations.classes"), line);
    slack = made(form_slack, &n);
    assert_non_null(strstr(text_at(slack, "text"), n.summary));
    assert_non_null(strstr(text_at(slack, "text"), line));
    teams = made(form_teams, &n);
    assert_string_equal(text_at(teams, "attachments.0.content.body.2.inlines.0.text"), n.summary);
    assert_non_null(strstr(text_at(teams, "attachments.0.content.body.3.inlines.0.text"), line));
    assert_non_null(strstr(text_at(teams, "attachments.0.content.body.4.inlines.0.text"), "heap-dump"));
    discord = made(form_discord, &n);
    assert_non_null(strstr(text_at(discord, "content"), "\nMost of it: byte\\[\\] 611.0 MiB"));
    n.summary = "1.0 GiB in 7 objects: byte[] 611.0 MiB, com.shop.Order 301.0 MiB, int[] 1.0 KiB";
    json_auto_t *once = made(form_slack, &n);
    assert_null(strstr(text_at(once, "text"), "Most of it"));
}

static void slack_gets_entities_for_what_would_be_markup(void **state)
{
    struct notice n = cart();
    json_auto_t *message = NULL;

    (void)state;
    n.sentence = "<!channel> & <http://evil|click>";
    n.more = 14;
    message = made(form_slack, &n);
    assert_string_equal(text_at(message, "blocks.0.text.text"),
                        "*shop/cart-7f9c*\n&lt;!channel&gt; &amp; &lt;http://evil|click&gt;, and 14 more like this");
    assert_string_equal(text_at(message, "blocks.2.elements.0.url"), n.link);
}

static void discord_mentions_nobody(void **state)
{
    struct notice n = cart();
    json_auto_t *message = NULL;

    (void)state;
    n.sentence = "@everyone [x](http://evil) **b**";
    message = made(form_discord, &n);
    assert_non_null(strstr(text_at(message, "content"), "\\@everyone \\[x\\]\\(http://evil\\) \\*\\*b\\*\\*"));
    assert_int_equal(json_array_size(json_object_get(json_object_get(message, "allowed_mentions"), "parse")), 0);
    assert_true(json_is_array(json_object_get(json_object_get(message, "allowed_mentions"), "parse")));
}

static void a_teams_card_has_texts_and_a_button(void **state)
{
    struct notice n = cart();
    json_auto_t *message = made(form_teams, &n);

    (void)state;
    assert_string_equal(text_at(message, "attachments.0.content.type"), "AdaptiveCard");
    assert_string_equal(text_at(message, "attachments.0.content.body.0.inlines.0.weight"), "bolder");
    assert_string_equal(text_at(message, "attachments.0.content.body.1.inlines.0.text"), n.sentence);
    assert_string_equal(text_at(message, "attachments.0.content.body.1.inlines.0.weight"), "(none)");
    assert_string_equal(text_at(message, "attachments.0.content.actions.0.url"), n.link);
}

/* The longest texts there are, of what grows most when it is escaped. */
static void limits_hold_for_the_longest_texts(void **state)
{
    static const char *const PIECES[] = {"<", "\xf0\x9f\x92\xa5", "*", "\xc3\xa4", "\xff"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(PIECES); i++) {
        char text[JSON_FIELD_TEXT_MAX + 1] = "";
        struct notice n = cart();

        while (strlen(text) + strlen(PIECES[i]) < sizeof(text))
            strcat(text, PIECES[i]); /* NOLINT: it fits */
        n.sentence = n.place = n.summary = text;
        n.top.count = NOTICE_CLASSES;
        for (unsigned row = 0; row < NOTICE_CLASSES; row++)
            snprintf(n.top.row[row].name, SUMMARY_NAME_MAX, "%u%.150s", row, text);
        n.more = UINT64_MAX;
        json_auto_t *slack = made(form_slack, &n), *discord = made(form_discord, &n), *teams = made(form_teams, &n);
        const char *section = text_at(slack, "blocks.0.text.text"), *content = text_at(discord, "content");
        CLEANUP_FREE char *card = json_dumps(teams, JSON_COMPACT | JSON_ENSURE_ASCII);

        assert_int_equal(form_fit(section, 3000), strlen(section));
        assert_int_equal(form_fit(content, 2000), strlen(content));
        assert_true(strlen(section) > 500 && strlen(content) > 500);
        assert_true(strlen(card) < 28 * 1024);
    }
}

static void characters_are_counted_as_utf16_does(void **state)
{
    (void)state;
    assert_int_equal(form_fit("abc", 2), 2);
    assert_int_equal(form_fit("\xc3\xa4\xc3\xa4", 1), 2);
    assert_int_equal(form_fit("\xf0\x9f\x92\xa5x", 1), 0);
    assert_int_equal(form_fit("\xf0\x9f\x92\xa5x", 2), 4);
    assert_int_equal(form_fit("\xff\xff\xff", 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cloud_event_has_its_attributes),
        cmocka_unit_test(an_alert_is_named_by_labels_and_ends_by_itself),
        cmocka_unit_test(all_say_what_the_evidence_says_and_three_classes),
        cmocka_unit_test(slack_gets_entities_for_what_would_be_markup),
        cmocka_unit_test(discord_mentions_nobody),
        cmocka_unit_test(a_teams_card_has_texts_and_a_button),
        cmocka_unit_test(limits_hold_for_the_longest_texts),
        cmocka_unit_test(characters_are_counted_as_utf16_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
