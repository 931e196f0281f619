/* SPDX-License-Identifier: Apache-2.0
 *
 * A released name must not change: people search logs and write alerts for it.
 */
#include "base/events.h"

static const struct event_info TABLE[EVENT_END] = {
    [EVENT_STARTED] = {"started", LEVEL_INFO, "the watch begins", "dirs to"},
    [EVENT_NETWORK_FOLDER] = {"network-folder", LEVEL_WARNING,
                              "a folder is on a network file system: it is scanned from time to time, and a file is "
                              "taken when its size is at rest",
                              "dir filesystem"},
    [EVENT_READ_ONLY_FOLDER] = {"read-only-folder", LEVEL_WARNING,
                                "a folder cannot be written: evidence is read in place and never deleted", "dir error"},
    [EVENT_STATE_LOST] = {"state-lost", LEVEL_WARNING,
                          "the state folder is full or broken: shipping goes on, but could not be resumed",
                          "path error"},
    [EVENT_WATCH_LIMIT] = {"watch-limit", LEVEL_WARNING,
                           "the kernel watches no further folder (fs.inotify.max_user_watches): it is scanned instead",
                           "dir error"},
    [EVENT_FOLDER_GONE] = {"folder-gone", LEVEL_WARNING, "a watched folder was removed or unmounted", "dir"},
    [EVENT_FOLDER_HUNG] = {"folder-hung", LEVEL_WARNING,
                           "a network file system does not answer: it is left alone and asked again and again, and all "
                           "other folders are watched on",
                           "dir seconds"},
    [EVENT_FOLDER_BACK] =
        {"folder-back", LEVEL_INFO,
         "a watched folder that was gone or did not answer, or that another now lies over, is watched again", "dir"},
    [EVENT_OVERFLOW] = {"overflow", LEVEL_WARNING, "the kernel dropped notices: all folders are scanned again", ""},
    [EVENT_FOUND] = {"found", LEVEL_INFO, "a file is whole, and is read where it lies: it could not be moved",
                     "path bytes kind"},
    [EVENT_FOLLOWING] = {"following", LEVEL_INFO, "a dump is read while it is still being written", "path id"},
    [EVENT_CLAIMED] = {"claimed", LEVEL_INFO, "a file is whole and was moved out of the application's way",
                       "path id bytes"},
    [EVENT_RESUMED] = {"resumed", LEVEL_INFO, "shipping goes on where an earlier run or attempt stopped",
                       "id path stored"},
    [EVENT_SHIPPED] =
        {"shipped", LEVEL_INFO,
         "a file is in the store, verified, with its manifest; pause: for how long the process stood still for it",
         "key url bytes stored seconds cause partial pause verified"},
    [EVENT_ALREADY_STORED] = {"already-stored", LEVEL_INFO, "a file was in the store already, whole: not sent again",
                              "key url"},
    [EVENT_STORED_UNVERIFIED] = {"stored-unverified", LEVEL_WARNING,
                                 "what is stored may not be read back: the store's answers to the upload count from "
                                 "now on, and nothing is sent "
                                 "again for that; said once. --verify=put says that this is meant",
                                 "path error"},
    [EVENT_FAILED] = {"failed", LEVEL_WARNING, "an attempt failed; said once until it fails for another reason",
                      "path fault error retry_in_s"},
    [EVENT_UNREADABLE] = {"unreadable", LEVEL_WARNING, "this user may not read a file that fits", "dir name uid error"},
    [EVENT_NOT_EXAMINED] = {"not-examined", LEVEL_WARNING,
                            "a file or a folder could not be examined for want of descriptors or memory, or by an I/O "
                            "error: it is tried again; said once until it succeeds",
                            "dir name fault error retry_in_s"},
    [EVENT_IGNORED] =
        {"ignored", LEVEL_INFO,
         "a file is left alone: it does not begin as evidence does; said once for each folder and kind of "
         "name (names), with the first of them",
         "dir names name"},
    [EVENT_GAVE_UP] = {"gave-up", LEVEL_ERROR, "a file was not shipped and is not tried again by this run",
                       "path fault error"},
    [EVENT_DISCARDED] = {"discarded", LEVEL_ERROR,
                         "evidence that could not be shipped was erased: it waited longer than --retain-age, or what "
                         "waits (waiting) was more than there is room for; reason: which of its series it was; count: "
                         "how many in this run",
                         "path bytes limit reason waiting room of count error"},
    [EVENT_LARGER_THAN_ROOM] = {"larger-than-room", LEVEL_WARNING,
                                "one file is larger than all the room for what waits: it is shipped all the same, but "
                                "the volume is too small for another one beside it",
                                "path bytes room limit of"},
    [EVENT_KEPT_ERASED] = {"kept-erased", LEVEL_INFO,
                           "kept copies of what is in the store were erased for their age, or to make room", "count"},
    [EVENT_ROOM] = {"room", LEVEL_INFO,
                    "how much what waits to be shipped may take up (room), by which limit, and what that is (of)",
                    "dir room limit of"},
    [EVENT_WORKER_DIED] = {"worker-died", LEVEL_WARNING, "a worker process ended without a word: the attempt is lost",
                           "path error"},
    [EVENT_WORKER_STUCK] = {"worker-stuck", LEVEL_WARNING,
                            "a worker process does not move (it is stopped, or a file system does not answer): it is "
                            "killed, and another takes its place",
                            "path seconds"},
    [EVENT_YIELDED] = {"yielded", LEVEL_INFO,
                       "a file that takes long was put back for a while, as others wait; what was sent of it stays",
                       "path seconds"},
    [EVENT_ABORTED_UPLOAD] = {"aborted-upload", LEVEL_INFO,
                              "abandoned uploads of ours were found in the store and aborted", "count"},
    [EVENT_SERVING] = {"serving", LEVEL_INFO, "the server of a store listens", "address store"},
    [EVENT_STOPPING] = {"stopping", LEVEL_INFO, "SIGTERM or SIGINT came: what is under way has this long",
                        "left grace_s"},
    [EVENT_NOT_SHIPPED] = {"not-shipped", LEVEL_ERROR,
                           "the watch ends before this is in the store: it is lost with its folder (an emptyDir goes "
                           "with its pod), unless a later run finds it there; the first 100 by name, then their number",
                           "path bytes id fault more"},
    [EVENT_STOPPED] = {"stopped", LEVEL_INFO, "the watch ends; what is left will be resumed", "left failed"},
    [EVENT_NO_DUMPS] = {"no-dumps", LEVEL_WARNING,
                        "run: a folder for dumps cannot be used, and the application runs without it", "dir error"},
    [EVENT_WATCH_DIED] = {"watch-died", LEVEL_WARNING,
                          "run: the watch beside the application ended by itself; it is started again",
                          "error retry_in_s"},
    [EVENT_DIED] = {"died", LEVEL_WARNING,
                    "run: the application ended, not with status 0 and not as it was asked to; why is exit, signal or "
                    "oom-kill (reported by the "
                    "cgroup's counter; oom=unknown where there is none to read). What it left is shipped now",
                    "command pid why status signal oom oom_kills seconds"},
    [EVENT_ENDED] = {"ended", LEVEL_INFO,
                     "run: the last line: how the application ended, what was saved, and where (url: the largest)",
                     "why status signal oom_kills shipped bytes left url error"},
    [EVENT_ARMED] = {"armed", LEVEL_INFO,
                     "run, jvm arm --follow, watch --arm: a running JVM was set to dump to path when memory runs out",
                     "pid path was command"},
    [EVENT_NOT_ARMED] =
        {"not-armed", LEVEL_WARNING,
         "run, jvm arm --follow, watch --arm: a JVM could not be, or it is too late for it (fault=too-late); "
         "said once for each reason, and tried again",
         "pid fault error command"},
    [EVENT_NOT_ATTACHED] = {"not-attached", LEVEL_WARNING,
                            "guard: a JVM could not be attached to while it has room: at its limit of threads, or with "
                            "a full heap, it will not answer, and a case will have no threads, histogram or dump "
                            "of it; said once for each reason",
                            "pid fault error command"},
    [EVENT_NOT_COPIED] = {"not-copied", LEVEL_WARNING,
                          "run: a JVM crashed, and its log (path) could not be copied to where it is shipped from",
                          "path error"},
    [EVENT_JVM_ENDED] =
        {"jvm-ended", LEVEL_WARNING,
         "run, watch --arm: a JVM ended badly (why: exit, signal, unknown) and left neither a heap dump "
         "nor a crash log: its last counters are shipped as jvm-end.json, or error says why not",
         "pid why status error command"},
    [EVENT_NEAR_LIMIT] =
        {"near-limit", LEVEL_WARNING,
         "run, watch --arm: a JVM comes near a limit of threads (of), at which HotSpot leaves nothing: "
         "its threads and class histogram are taken and shipped now, once, or error says why not",
         "pid used limit of error command"},
    [EVENT_ARM_DIED] = {"arm-died", LEVEL_WARNING,
                        "run, watch --arm, guard: the process that arms JVMs, or attaches to them, ended by itself; it "
                        "is started again",
                        "error retry_in_s"},
    [EVENT_GUARDING] =
        {"guarding", LEVEL_INFO,
         "guard: a memory cgroup is watched from now on; signals (of the first one): what the kernel reports by "
         "itself, "
         "the rest is sampled; target: its namespace, pod and container where they are known; container: the id",
         "target container limit cgroup signals"},
    [EVENT_GUARD_NAMED] = {"guard-named", LEVEL_INFO,
                           "guard: the names of a target are known now; name: what it is called from here on",
                           "target name"},
    [EVENT_GUARD_FORGETS] = {"guard-forgets", LEVEL_WARNING,
                             "guard: what cases were made can't be written down or read (--state): after a restart the "
                             "rest after a case and the caps begin anew",
                             "error"},
    [EVENT_GUARD_UNWATCHED] = {"guard-unwatched", LEVEL_WARNING,
                               "guard --all: a memory cgroup can't be watched; pid: a process in it; said once of each",
                               "cgroup pid pod error"},
    [EVENT_GUARD_LEFT] = {"guard-left", LEVEL_INFO, "guard: a cgroup, or the given process, is gone", "target"},
    [EVENT_GUARD_CASE] = {"guard-case", LEVEL_WARNING, "guard: a condition holds: evidence of the process is taken now",
                          "target pid why"},
    [EVENT_GUARD_MADE] = {"guard-made", LEVEL_INFO,
                          "guard: a case has ended; whole: all of what was asked for is in the store; dump_rate: how "
                          "fast, in a second, the next heap dump is expected to be",
                          "target whole seconds dump_rate"},
    [EVENT_GUARD_MISSED] = {"guard-missed", LEVEL_WARNING, "guard: a piece of evidence could not be taken or shipped",
                            "target piece fault error"},
    [EVENT_GUARD_WAITS] = {"guard-waits", LEVEL_WARNING,
                           "guard: a condition holds, but the target rests after a case, or a cap is reached",
                           "target why"},
    [EVENT_GUARD_BLIND] = {"guard-blind", LEVEL_WARNING,
                           "guard: a condition could not be judged for a minute; said once", "target why"},
    [EVENT_GUARD_INSIDE] = {"guard-inside", LEVEL_WARNING,
                            "guard: it runs in the cgroup that it watches, or below: what it takes needs memory of "
                            "what is running out, and it may be killed first",
                            "target"},
    [EVENT_OOM_KILL] =
        {"oom-kill", LEVEL_WARNING,
         "guard: the kernel has killed a process for want of memory; source: kernel-log or counters; case: what was "
         "taken of it before; the record follows as shipped",
         "target pid name why limit source namespace pod container container_id case"},
    [EVENT_OOM_UNREAD] = {"oom-unread", LEVEL_INFO,
                          "guard: the kernel log can't be read: kills are known by the counters of cgroups alone",
                          "error"},
    [EVENT_GUARD_LENT] = {"guard-lent", LEVEL_WARNING,
                          "guard: limits were raised by so much (--lend), or the process is held so long (--hold)",
                          "target lent held_s settings"},
    [EVENT_GUARD_NOT_LENT] = {"guard-not-lent", LEVEL_WARNING,
                              "guard: --lend, --hold: not, or not all of it; the case is made all the same",
                              "target lend hold"},
    [EVENT_GUARD_RESTORED] = {"guard-restored", LEVEL_INFO,
                              "guard: a setting of a cgroup says again what it did before a case",
                              "target cgroup file value error"},
    [EVENT_GUARD_NOT_RESTORED] = {"guard-not-restored", LEVEL_WARNING,
                                  "guard: a setting could not be put back yet, or is left as it is (error says why)",
                                  "target cgroup file value error"},
    [EVENT_STORE_READY] = {"store-ready", LEVEL_INFO,
                           "watch, guard: the store was asked at the start, or again, and would take evidence", "to"},
    [EVENT_STORE_SETTING] = {"store-setting", LEVEL_WARNING,
                             "a setting of the store's own tools, in the environment or their files, is not honoured "
                             "here, or is worth knowing; said once",
                             "error"},
    [EVENT_STORE_FAILED] =
        {"store-failed", LEVEL_WARNING,
         "watch, guard: the store was asked at the start, or again, and would not take evidence; said once for each "
         "reason, and asked again until it would",
         "to fault error retry_in_s"},
};

const struct event_info *event_find(enum event event)
{
    return &TABLE[event];
}
