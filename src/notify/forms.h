/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A notice in the form of each service, within its limits: names of pods and command lines are foreign
 * text, which must not become markup, links or mentions.
 */
#pragma once

#include "base/buf.h"
#include "notify/notice.h"

/* CloudEvents 1.0, JSON format, structured mode. */
int form_cloudevent(const struct notice *n, int64_t now_ns, struct buf *ret);

/* Alertmanager's API v2: an array with one alert, which ends by itself after FORM_ALERT_S. */
enum { FORM_ALERT_S = 3600 };
int form_alertmanager(const struct notice *n, int64_t now_ns, struct buf *ret);

/* Slack's incoming webhooks: a section has at most 3,000 characters, a URL, too. */
int form_slack(const struct notice *n, int64_t now_ns, struct buf *ret);

/* Teams: an Adaptive Card 1.4; a message has at most 28 KB. */
int form_teams(const struct notice *n, int64_t now_ns, struct buf *ret);

/* Discord: at most 2,000 characters. */
int form_discord(const struct notice *n, int64_t now_ns, struct buf *ret);

/* The notice itself, in one line. */
int form_command(const struct notice *n, int64_t now_ns, struct buf *ret);

/* Adds root as text, in one line. -ENOMEM, also for NULL. */
int form_print(const json_t *root, struct buf *ret);

/* How many bytes of the UTF-8 text (malformed bytes count one each) fit into `most` characters, counted as UTF-16 does:
 * the services count so. */
size_t form_fit(const char *text, size_t most);
