/* SPDX-License-Identifier: Apache-2.0
 *
 * The events that can stand in the log, in one table: name, level, when, and with which pairs.
 */
#pragma once

enum event {
    EVENT_STARTED,
    EVENT_NETWORK_FOLDER,
    EVENT_READ_ONLY_FOLDER,
    EVENT_STATE_LOST,
    EVENT_WATCH_LIMIT,
    EVENT_FOLDER_GONE,
    EVENT_FOLDER_BACK,
    EVENT_OVERFLOW,
    EVENT_FOUND,
    EVENT_FOLLOWING,
    EVENT_CLAIMED,
    EVENT_RESUMED,
    EVENT_SHIPPED,
    EVENT_ALREADY_STORED,
    EVENT_STORED_UNVERIFIED,
    EVENT_FAILED,
    EVENT_UNREADABLE,
    EVENT_NOT_EXAMINED,
    EVENT_IGNORED,
    EVENT_GAVE_UP,
    EVENT_DISCARDED,
    EVENT_LARGER_THAN_ROOM,
    EVENT_KEPT_ERASED,
    EVENT_ROOM,
    EVENT_WORKER_DIED,
    EVENT_WORKER_STUCK,
    EVENT_YIELDED,
    EVENT_ABORTED_UPLOAD,
    EVENT_STOPPING,
    EVENT_STOPPED,
    EVENT_NOT_SHIPPED,
    EVENT_NO_DUMPS,
    EVENT_WATCH_DIED,
    EVENT_DIED,
    EVENT_ENDED,
    EVENT_ARMED,
    EVENT_NOT_ARMED,
    EVENT_NOT_ATTACHED,
    EVENT_NOT_COPIED,
    EVENT_ARM_DIED,
    EVENT_GUARDING,
    EVENT_GUARD_LEFT,
    EVENT_GUARD_UNWATCHED,
    EVENT_GUARD_CASE,
    EVENT_GUARD_MADE,
    EVENT_GUARD_MISSED,
    EVENT_GUARD_WAITS,
    EVENT_GUARD_BLIND,
    EVENT_GUARD_INSIDE,
    EVENT_OOM_KILL,
    EVENT_OOM_UNREAD,
    EVENT_GUARD_LENT,
    EVENT_GUARD_NOT_LENT,
    EVENT_GUARD_RESTORED,
    EVENT_GUARD_NOT_RESTORED,
    EVENT_STORE_READY,
    EVENT_STORE_FAILED,
    EVENT_END
};

enum event_level { LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR };

struct event_info {
    const char *name;
    enum event_level level;
    const char *when;  /* for docs */
    const char *pairs; /* for docs: "key bytes seconds" */
};

const struct event_info *event_find(enum event event);
