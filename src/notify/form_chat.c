/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. Notices for people: Slack, Teams, Discord. A text is escaped first and cut then, so that what is sent
 * keeps the service's limit; a cut never splits an escape.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonout.h"
#include "base/mem.h"
#include "base/text.h"
#include "notify/forms.h"

enum {
    SLACK_TEXT_MAX = 3000,
    SLACK_URL_MAX = 3000,
    DISCORD_MAX = 2000,
    TEAMS_TITLE_MAX = 300,
    TEAMS_TEXT_MAX = 2000,
    TEAMS_MORE_MAX = 700,
    TEAMS_URL_MAX = 2000,
    CLASSES_MAX = NOTICE_CLASSES_MAX + 16
};

size_t form_fit(const char *text, size_t most)
{
    size_t at = 0, left = strlen(text), units = 0;

    while (text[at]) {
        size_t size = text_utf8_length(text + at, left);
        size_t need = size == 4 ? 2 : 1;

        if (units + need > most)
            break;
        size = size ? size : 1;
        units += need;
        at += size;
        left -= size;
    }
    return at;
}

/* Replaces what means something to the service. */
struct escape {
    const char *special;
    const char *const *instead; /* NULL: a backslash before it */
};

static const char *const SLACK_ENTITIES[] = {"&amp;", "&lt;", "&gt;"};
static const struct escape SLACK = {"&<>", SLACK_ENTITIES};
static const struct escape DISCORD = {"\\*_`~|>#[]()<@-", NULL};

/* Adds text, escaped, as far as it fits into `most` characters; cut texts end with "…". One line: control characters
 * become spaces. */
static int add_escaped(struct buf *to, const char *text, const struct escape *escape, size_t most)
{
    size_t left = strlen(text), used = 0;

    while (left > 0) {
        size_t size = text_utf8_length(text, left);
        char piece[16];
        const char *special = size == 1 ? strchr(escape->special, *text) : NULL;

        if (special && escape->instead)
            snprintf(piece, sizeof(piece), "%s", escape->instead[special - escape->special]);
        else if (special)
            snprintf(piece, sizeof(piece), "\\%c", *text);
        else if (size == 0)
            snprintf(piece, sizeof(piece), "\xef\xbf\xbd");
        else
            snprintf(piece, sizeof(piece), "%.*s", (int)size, (unsigned char)*text < 0x20 ? " " : text);
        size = size ? size : 1;
        if (used + 4 + strlen(piece) > most) /* bytes are never fewer than characters */
            return buf_add_text(to, "\xe2\x80\xa6");
        if (buf_add_text(to, piece) < 0)
            return -ENOMEM;
        used += strlen(piece);
        text += size;
        left -= size;
    }
    return 0;
}

/* "heap-dump 1.1 GiB, 312 MiB stored, 2026-11-21 01:56:05Z" */
static void facts(const struct notice *n, char *out, size_t size)
{
    char bytes[TEXT_SIZE_MAX], stored[TEXT_SIZE_MAX], time[CLOCK_TEXT_MAX] = "";

    if (n->time_ns)
        clock_format(n->time_ns, time);
    snprintf(out, size, "%s %s, %s stored%s%.10s %.8s%s", n->kind ? n->kind : "evidence",
             text_format_size(n->size, bytes), text_format_size(n->stored_size, stored), *time ? ", " : "", time,
             *time ? time + 11 : "", *time ? "Z" : "");
}

static const char *title(const struct notice *n)
{
    return n->place ? n->place : n->id;
}

/* "Most of it: byte[] 611.2 MiB, …" into out[CLASSES_MAX]; "" if the summary has them all, or they are unknown. */
static const char *classes(const struct notice *n, char *out)
{
    char list[NOTICE_CLASSES_MAX];
    unsigned said = 0;

    for (unsigned i = 0; i < n->top.count; i++)
        said += n->summary && strstr(n->summary, n->top.row[i].name) != NULL;
    *out = '\0';
    if (said < n->top.count)
        snprintf(out, CLASSES_MAX, "Most of it: %s", notice_classes(n, list));
    return out;
}

/* "\n" and the text, unless there is none. */
static int add_line(struct buf *to, const char *text, const struct escape *escape, size_t most)
{
    if (!text || !*text)
        return 0;
    return buf_add_text(to, "\n") < 0 ? -ENOMEM : add_escaped(to, text, escape, most);
}

static json_t *slack_text(const struct notice *n)
{
    CLEANUP(buf_done) struct buf text = {0};
    char more[NOTICE_MORE_MAX], top[CLASSES_MAX];

    if (buf_add_text(&text, "*") < 0 || add_escaped(&text, title(n), &SLACK, 500) < 0 ||
        buf_add_text(&text, "*\n") < 0 || add_escaped(&text, n->sentence, &SLACK, 1000) < 0 ||
        buf_add_text(&text, notice_more(n, more)) < 0 || add_line(&text, n->summary, &SLACK, 700) < 0 ||
        add_line(&text, classes(n, top), &SLACK, 700) < 0)
        return NULL;
    return jsonout_text(buf_text(&text), text.size);
}

/* Slack's parts are built by format: only their texts are foreign. */
int form_slack(const struct notice *n, int64_t now_ns, struct buf *ret)
{
    CLEANUP(buf_done) struct buf escaped = {0};
    json_auto_t *root = NULL;
    json_t *blocks, *text = slack_text(n);
    char about[300];

    (void)now_ns;
    facts(n, about, sizeof(about));
    if (!text || add_escaped(&escaped, about, &SLACK, sizeof(about)) < 0) {
        json_decref(text);
        return -ENOMEM;
    }
    root = json_pack("{sOs[{ss s{ss so}} {ss s[{ss so}]}]}", "text", text, "blocks", "type", "section", "text", "type",
                     "mrkdwn", "text", text, "type", "context", "elements", "type", "mrkdwn", "text",
                     jsonout_text(buf_text(&escaped), escaped.size));
    if (!root)
        return -ENOMEM;
    blocks = json_object_get(root, "blocks");
    if (n->link && strlen(n->link) <= SLACK_URL_MAX &&
        json_array_append_new(blocks, json_pack("{ss s[{ss s{ss ss} so}]}", "type", "actions", "elements", "type",
                                                "button", "text", "type", "plain_text", "text", "Open the case", "url",
                                                jsonout_text(n->link, SLACK_URL_MAX))) < 0)
        return -ENOMEM;
    return form_print(root, ret);
}

/* A TextRun of a RichTextBlock: unlike a TextBlock it knows no markdown. */
static json_t *teams_line(const char *text, size_t most, const char *weight)
{
    return json_pack("{ss s[{ss so ss*}]}", "type", "RichTextBlock", "inlines", "type", "TextRun", "text",
                     jsonout_text(text, form_fit(text, most)), "weight", weight);
}

/* A line of the card before the one at `at`; none for a text that is not there. */
static int teams_insert(json_t *card, size_t at, const char *text)
{
    if (!text || !*text)
        return 0;
    return json_array_insert_new(json_object_get(card, "body"), at, teams_line(text, TEAMS_MORE_MAX, NULL)) < 0
               ? -ENOMEM
               : 0;
}

int form_teams(const struct notice *n, int64_t now_ns, struct buf *ret)
{
    CLEANUP_FREE char *sentence = NULL;
    json_auto_t *root = NULL;
    json_t *card;
    char about[300], more[NOTICE_MORE_MAX], top[CLASSES_MAX];

    (void)now_ns;
    facts(n, about, sizeof(about));
    if (asprintf(&sentence, "%.*s%s", (int)form_fit(n->sentence, TEAMS_TEXT_MAX - NOTICE_MORE_MAX), n->sentence,
                 notice_more(n, more)) < 0)
        return -ENOMEM;
    root = json_pack("{ss s[{ss s{ss ss ss s[ooo]}}]}", "type", "message", "attachments", "contentType",
                     "application/vnd.microsoft.card.adaptive", "content", "$schema",
                     "http://adaptivecards.io/schemas/adaptive-card.json", "type", "AdaptiveCard", "version", "1.4",
                     "body", teams_line(title(n), TEAMS_TITLE_MAX, "bolder"),
                     teams_line(sentence, TEAMS_TEXT_MAX, NULL), teams_line(about, sizeof(about), NULL));
    if (!root)
        return -ENOMEM;
    card = json_object_get(json_array_get(json_object_get(root, "attachments"), 0), "content");
    if (teams_insert(card, 2, n->summary) < 0 || teams_insert(card, n->summary ? 3 : 2, classes(n, top)) < 0)
        return -ENOMEM;
    if (n->link && strlen(n->link) <= TEAMS_URL_MAX &&
        json_object_set_new(card, "actions",
                            json_pack("[{ss ss so}]", "type", "Action.OpenUrl", "title", "Open the case", "url",
                                      jsonout_text(n->link, TEAMS_URL_MAX))) < 0)
        return -ENOMEM;
    return form_print(root, ret);
}

int form_discord(const struct notice *n, int64_t now_ns, struct buf *ret)
{
    CLEANUP(buf_done) struct buf text = {0};
    json_auto_t *root = NULL;
    char about[300], more[NOTICE_MORE_MAX], top[CLASSES_MAX];
    size_t link = n->link && strlen(n->link) < 500 ? strlen(n->link) : 0;

    (void)now_ns;
    facts(n, about, sizeof(about));
    if (buf_add_text(&text, "**") < 0 || add_escaped(&text, title(n), &DISCORD, 200) < 0 ||
        buf_add_text(&text, "**\n") < 0 || add_escaped(&text, n->sentence, &DISCORD, 450) < 0 ||
        buf_add_text(&text, notice_more(n, more)) < 0 || add_line(&text, n->summary, &DISCORD, 300) < 0 ||
        add_line(&text, classes(n, top), &DISCORD, 250) < 0 || add_line(&text, about, &DISCORD, 200) < 0 ||
        (link && buf_printf(&text, "\n<%s>", n->link) < 0))
        return -ENOMEM;
    root = json_pack("{so s{s[]}}", "content", jsonout_text(buf_text(&text), form_fit(buf_text(&text), DISCORD_MAX)),
                     "allowed_mentions", "parse");
    return form_print(root, ret);
}
