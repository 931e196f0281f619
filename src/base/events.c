/* SPDX-License-Identifier: Apache-2.0
 *
 * A released name must not change: people search logs and write alerts for it.
 */
#include "base/events.h"

static const struct event_info TABLE[EVENT_END] = {
    [EVENT_STARTED] = {"started", LEVEL_INFO, "the watch starts", "dirs to"},
    [EVENT_NETWORK_FOLDER] = {"network-folder", LEVEL_WARNING,
                              "a folder is on a network file system: it is scanned from time to time, and a file is "
                              "taken when its size and time are at rest",
                              "dir filesystem"},
    [EVENT_READ_ONLY_FOLDER] = {"read-only-folder", LEVEL_WARNING,
                                "a folder is not writable: evidence is read in place and never deleted", "dir error"},
    [EVENT_STATE_LOST] = {"state-lost", LEVEL_WARNING,
                          "the state folder is full or broken: shipping goes on, but could not be resumed",
                          "path error"},
    [EVENT_WATCH_LIMIT] = {"watch-limit", LEVEL_WARNING,
                           "inotify refuses another watch (fs.inotify.max_user_watches): the folder is scanned instead",
                           "dir error"},
    [EVENT_FOLDER_GONE] = {"folder-gone", LEVEL_WARNING, "a watched folder was removed or unmounted", "dir"},
    [EVENT_FOLDER_HUNG] = {"folder-hung", LEVEL_WARNING,
                           "a network file system does not answer: its folder is skipped and tried again from time to "
                           "time; all other folders are watched as before",
                           "dir seconds"},
    [EVENT_FOLDER_BACK] =
        {"folder-back", LEVEL_INFO,
         "a watched folder that was gone, did not answer, or was covered by another mount is watched again", "dir"},
    [EVENT_OVERFLOW] = {"overflow", LEVEL_WARNING, "the inotify queue overflowed: all folders are scanned again", ""},
    [EVENT_FOUND] = {"found", LEVEL_INFO, "a file is complete, and is read where it lies: it could not be moved",
                     "path bytes kind"},
    [EVENT_FOLLOWING] = {"following", LEVEL_INFO, "a dump is read while it is still being written", "path id"},
    [EVENT_CLAIMED] = {"claimed", LEVEL_INFO, "a file is complete and was moved out of the application's way",
                       "path id bytes"},
    [EVENT_RESUMED] = {"resumed", LEVEL_INFO, "shipping goes on where an earlier run or attempt stopped",
                       "id path stored"},
    [EVENT_SHIPPED] = {"shipped", LEVEL_INFO,
                       "a file is in the store, verified, with its manifest; pause: how long the process was stopped "
                       "for it; summary: "
                       "what the file says, in one sentence",
                       "key url bytes stored seconds cause partial pause verified summary"},
    [EVENT_ALREADY_STORED] = {"already-stored", LEVEL_INFO, "a file was in the store already, complete: not sent again",
                              "key url"},
    [EVENT_NO_DIGEST] =
        {"no-digest", LEVEL_WARNING,
         "a file is shipped without what it says (docs/digest.md): the process that reads it has crashed, was "
         "too slow, or could make nothing of it",
         "path error"},
    [EVENT_DIGESTED] = {"digested", LEVEL_INFO,
                        "serve has found out what a piece of evidence says that came without its digest",
                        "key seconds summary"},
    [EVENT_DIGEST_FAILED] = {"digest-failed", LEVEL_WARNING,
                             "serve could not find out what a piece of evidence says: the process that reads it has "
                             "crashed or was too slow, it can't be decoded, or the store takes no digest; it is not "
                             "tried again",
                             "key fault error"},
    [EVENT_STORED_UNVERIFIED] =
        {"stored-unverified", LEVEL_WARNING,
         "what is stored may not be read back: from now on the store's answers to the upload count as proof, and "
         "nothing is sent again for that; reported once. --verify=put says that this is intended",
         "path error"},
    [EVENT_NOT_ANALYSED] =
        {"not-analysed", LEVEL_WARNING,
         "--inspect: a heap dump is stored without its analysis: it crashed, took more than --memory, "
         "or was too slow",
         "path error"},
    [EVENT_ANALYSIS_STARTED] = {"analysis-started", LEVEL_INFO, "serve analyses the heap dump of a case", "case key"},
    [EVENT_ANALYSED] = {"analysed", LEVEL_INFO, "serve has stored the analysis of a heap dump in its case",
                        "case key seconds"},
    [EVENT_ANALYSIS_FAILED] =
        {"analysis-failed", LEVEL_WARNING,
         "serve could not analyse a heap dump: its process crashed, took more than --analysis-memory or too long, or "
         "the analysis could not be stored; it is done again only if a person asks",
         "case key fault error seconds"},
    [EVENT_ANALYSIS_REFUSED] = {"analysis-refused", LEVEL_WARNING, "a heap dump is not analysed, because too many wait",
                                "case error"},
    [EVENT_NO_SECCOMP] =
        {"no-seccomp", LEVEL_WARNING,
         "this kernel, or the sandbox that salvage is in, has no seccomp: evidence is parsed by a process "
         "without credentials and with limits, which may make any system call",
         ""},
    [EVENT_FAILED] = {"failed", LEVEL_WARNING, "an attempt failed; reported once until it fails for another reason",
                      "path fault error retry_in_s"},
    [EVENT_UNREADABLE] = {"unreadable", LEVEL_WARNING, "this user may not read a file that matches",
                          "dir name uid error"},
    [EVENT_NOT_EXAMINED] = {"not-examined", LEVEL_WARNING,
                            "a file or a folder could not be examined: out of descriptors or memory, or an I/O error; "
                            "it is tried again; reported once until it succeeds",
                            "dir name fault error retry_in_s"},
    [EVENT_IGNORED] = {"ignored", LEVEL_INFO,
                       "a file is left alone: its first bytes are not those of evidence; reported once for each folder "
                       "and kind of name (names), with the first of them",
                       "dir names name"},
    [EVENT_GAVE_UP] = {"gave-up", LEVEL_ERROR, "a file was not shipped and is not tried again by this run",
                       "path fault error"},
    [EVENT_DISCARDED] = {"discarded", LEVEL_ERROR,
                         "evidence that could not be shipped was erased: it waited longer than --retain-age, or the "
                         "files that wait (waiting) took more than the room for them (room); reason: its position in "
                         "the series of dumps (first, middle, newest); count: how many in this run",
                         "path bytes limit reason waiting room of count error"},
    [EVENT_LARGER_THAN_ROOM] = {"larger-than-room", LEVEL_WARNING,
                                "one file is larger than all the room for files that wait: it is shipped all the same, "
                                "but the volume is too small for a second one",
                                "path bytes room limit of"},
    [EVENT_KEPT_ERASED] = {"kept-erased", LEVEL_INFO,
                           "kept copies of stored files were erased because of their age, or to make room", "count"},
    [EVENT_ROOM] =
        {"room", LEVEL_INFO,
         "how much the files that wait to be shipped may take up (room), by which limit, and of what size (of)",
         "dir room limit of"},
    [EVENT_POD_FOLDER] =
        {"pod-folder", LEVEL_INFO,
         "a folder in a pod is watched, because the pod's annotation salvage.dev/watch names it; waits: "
         "why not yet",
         "dir waits"},
    [EVENT_POD_FOLDER_ENDED] =
        {"pod-folder-ended", LEVEL_INFO,
         "a folder in a pod is no longer watched: its pod or container has ended, it was removed, or "
         "the annotation no longer names it",
         "dir"},
    [EVENT_POD_FOLDER_REFUSED] = {"pod-folder-refused", LEVEL_WARNING,
                                  "a pod's annotation salvage.dev/watch is wrong, or a folder that it names can't be "
                                  "watched; reported once for each pod and reason",
                                  "namespace pod folder error"},
    [EVENT_POD_FOLDER_LIMIT] = {"pod-folder-limit", LEVEL_WARNING,
                                "a watched folder in a pod has more folders below it, or deeper ones, than are watched",
                                "dir folders levels"},
    [EVENT_WORKER_DIED] = {"worker-died", LEVEL_WARNING, "a worker process ended without a result: the attempt is lost",
                           "path error"},
    [EVENT_WORKER_STUCK] = {"worker-stuck", LEVEL_WARNING,
                            "a worker process makes no progress (it is stopped, or a file system does not answer): it "
                            "is killed, and another takes its place",
                            "path seconds"},
    [EVENT_YIELDED] =
        {"yielded", LEVEL_INFO,
         "a file that takes long was put back for a while because others wait; the parts that were sent stay stored",
         "path seconds"},
    [EVENT_ABORTED_UPLOAD] = {"aborted-upload", LEVEL_INFO,
                              "abandoned uploads of ours were found in the store and aborted", "count"},
    [EVENT_SERVING] = {"serving", LEVEL_INFO, "the server of a store listens", "address store"},
    [EVENT_CLIENTS_REFUSED] = {"clients-refused", LEVEL_WARNING,
                               "serve refused connections or cut them off: the first of a reason at once, those of the "
                               "next minute together; client: the last one's address",
                               "reason client count"},
    [EVENT_CERTIFICATE_READ] = {"certificate-read", LEVEL_INFO,
                                "the files of --tls-cert and --tls-key have changed: new connections get the new one",
                                ""},
    [EVENT_CERTIFICATE_KEPT] =
        {"certificate-kept", LEVEL_ERROR,
         "the files of --tls-cert and --tls-key have changed and cannot be used: the certificate "
         "of before stays",
         "error"},
    [EVENT_TOKEN_MADE] = {"token-made", LEVEL_INFO,
                          "serve made the root's token: it is printed once, and its SHA-256 is kept", "root"},
    [EVENT_TOKENS_READ] = {"tokens-read", LEVEL_INFO, "the file of --tokens has changed and was read again",
                           "file tokens"},
    [EVENT_TOKENS_NOT_READ] = {"tokens-not-read", LEVEL_WARNING,
                               "the file of --tokens has changed and cannot be used: the tokens of before stay valid",
                               "file error tokens"},
    [EVENT_SIGN_IN_FAILED] = {"sign-in-failed", LEVEL_WARNING,
                              "what a client of serve presents is not valid; once a minute for each address, with how "
                              "often since the last time",
                              "client failures"},
    [EVENT_UPLOAD_FAILED] = {"upload-failed", LEVEL_WARNING,
                             "an upload could not be stored for a reason of the server's; the client was answered with "
                             "this status",
                             "key status error"},
    [EVENT_UPLOAD_ABANDONED] = {"upload-abandoned", LEVEL_INFO,
                                "an upload that was never completed was removed: --abandoned, or its server had died",
                                "key bytes"},
    [EVENT_NOTICE_SENT] = {"notice-sent", LEVEL_INFO,
                           "a target of --notify has accepted the notice of a case; more: other cases that it counts",
                           "target case more"},
    [EVENT_NOTICE_WAITS] = {"notice-waits", LEVEL_WARNING, "a notice could not be delivered; it is tried again",
                            "target error fault"},
    [EVENT_NOTICE_DROPPED] =
        {"notice-dropped", LEVEL_ERROR,
         "a notice will not be delivered: its target did not take it for a day, it is damaged, or too many wait",
         "target case count reason"},
    [EVENT_METRICS] = {"metrics", LEVEL_INFO, "--metrics: where metrics are shown", "address"},
    [EVENT_NOTIFIER_DIED] = {"notifier-died", LEVEL_WARNING,
                             "the process that delivers notices died; it is started again, and what waits is kept",
                             "error retry_in_s"},
    [EVENT_CATALOGUE_ANEW] = {"catalogue-anew", LEVEL_WARNING,
                              "serve: the index of cases can't be used (reason), and is made anew from the manifests",
                              "path reason"},
    [EVENT_CATALOGUE_IN_MEMORY] = {"catalogue-in-memory", LEVEL_WARNING,
                                   "serve: the index of cases can't be kept in a file: each start reads all manifests",
                                   "path error"},
    [EVENT_CATALOGUE_STALE] = {"catalogue-stale", LEVEL_WARNING,
                               "serve: the store could not be listed: what others put there is not shown yet; tried "
                               "again every 30 s, said once for each error",
                               "fault error"},
    [EVENT_AUDIT] = {"audit", LEVEL_INFO,
                     "a request to serve is over that was an upload, or began one in several requests, a download, a "
                     "deletion of an object or a case, a case's pin or its end, a sign-in, a signed link, a "
                     "request for evidence of a pod (capture) or a refusal; status 0: the connection broke; left_out: "
                     "refusals without an event before this one",
                     "action who key method status bytes client left_out"},
    [EVENT_REQUEST_TAKEN] =
        {"request-taken", LEVEL_INFO,
         "node: a person asks for evidence of a pod of this node (docs/serve.md), and it is taken now",
         "id who namespace pod container what"},
    [EVENT_REQUEST_OVER] = {"request-over", LEVEL_INFO,
                            "serve, node: what a person asked to be taken of a pod is in the store (done), or is not "
                            "(failed: error says why)",
                            "id who namespace pod what state node key error"},
    [EVENT_REQUEST_NOT_REPORTED] = {"request-not-reported", LEVEL_WARNING,
                                    "node: the server that asked for evidence can't be told how it stands; it is taken "
                                    "and stored all the same",
                                    "id fault error"},
    [EVENT_REQUESTS_READY] = {"requests-ready", LEVEL_INFO,
                              "node: the server answers, and takes us for the agent of this node", "server node"},
    [EVENT_REQUESTS_UNREACHABLE] = {"requests-unreachable", LEVEL_WARNING,
                                    "node: the server that persons ask can't be asked for requests; tried again each "
                                    "time after up to a minute, said once for each reason",
                                    "server fault error"},
    [EVENT_NOT_SERVED] =
        {"not-served", LEVEL_WARNING,
         "a file or folder below --root was asked for, and can't be read: its mode, a link, no regular "
         "file, an I/O error, or it is damaged",
         "key error"},
    [EVENT_ISSUER_UNREACHABLE] = {"issuer-unreachable", LEVEL_WARNING,
                                  "who could say whose token it is, or what its owner may do, does not answer serve: "
                                  "those callers get 503; once a minute. what: kubernetes or oidc",
                                  "what error"},
    [EVENT_GATEWAY_FAILED] =
        {"gateway-failed", LEVEL_WARNING,
         "the store behind serve (--from) has failed a request for this object: the client was "
         "answered with 502, 503 or 504, or its download was broken off; without a key: the search "
         "for uploads that were left unfinished",
         "key fault error"},
    [EVENT_STORE_DETOUR] =
        {"store-detour", LEVEL_WARNING,
         "the store lacks what would be best, or the bucket behind salvage serve cannot be reached from here: this "
         "file's upload goes on another way",
         "path error"},
    [EVENT_CASE_REMOVED] = {"case-removed", LEVEL_INFO,
                            "serve: --retain does not keep a case (reason): it left the store",
                            "case bytes objects reason"},
    [EVENT_RETENTION_FAILED] = {"retention-failed", LEVEL_WARNING,
                                "serve: what --retain does not keep could not be removed; tried again within the hour",
                                "fault error"},
    [EVENT_STOPPING] = {"stopping", LEVEL_INFO, "SIGTERM or SIGINT was received: the work in progress has this long",
                        "left grace_s"},
    [EVENT_NOT_SHIPPED] = {"not-shipped", LEVEL_ERROR,
                           "the watch ends before this is in the store: it is lost with its folder (an emptyDir goes "
                           "with its pod), unless a later run finds it there; the first 100 by name, then their number",
                           "path bytes id fault more"},
    [EVENT_STOPPED] = {"stopped", LEVEL_INFO, "the watch ends; what is left is resumed by the next run", "left failed"},
    [EVENT_NO_DUMPS] = {"no-dumps", LEVEL_WARNING,
                        "run: a folder for dumps cannot be used, and the application runs without it", "dir error"},
    [EVENT_WATCH_DIED] = {"watch-died", LEVEL_WARNING,
                          "run: the watch beside the application ended by itself; it is started again",
                          "error retry_in_s"},
    [EVENT_DIED] = {"died", LEVEL_WARNING,
                    "run: the application failed: it ended with a status other than 0 or by a signal, and not because "
                    "it was asked to; why: exit, signal or oom-kill (by the counter of the cgroup; oom=unknown if "
                    "there is none to read). The evidence that it left is shipped now",
                    "command pid why status signal oom oom_kills seconds"},
    [EVENT_ENDED] = {"ended", LEVEL_INFO,
                     "run: the last line: how the application ended, what was saved, and where (url: the largest)",
                     "why status signal oom_kills shipped bytes left url error"},
    [EVENT_ARMED] = {"armed", LEVEL_INFO,
                     "run, jvm arm --follow, watch --arm: a running JVM was set to dump to path at an OutOfMemoryError",
                     "pid path was command"},
    [EVENT_NOT_ARMED] = {"not-armed", LEVEL_WARNING,
                         "run, jvm arm --follow, watch --arm: a JVM could not be armed, or it is too late for it "
                         "(fault=too-late); reported once for each reason, and tried again",
                         "pid fault error command"},
    [EVENT_NOT_ATTACHED] =
        {"not-attached", LEVEL_WARNING,
         "guard: a JVM could not be attached to while it has room: at its limit of threads, or with a full heap, it "
         "will not answer, and a case will have no threads, histogram or dump of it; reported once for each reason",
         "pid fault error command"},
    [EVENT_NOT_COPIED] = {"not-copied", LEVEL_WARNING,
                          "run: a JVM crashed, and its log (path) could not be copied to the watched folder",
                          "path error"},
    [EVENT_JVM_ENDED] = {"jvm-ended", LEVEL_WARNING,
                         "run, watch --arm: a JVM failed (why: exit, signal, unknown) and left neither a heap dump nor "
                         "a crash log: its last counters are shipped as jvm-end.json, or error says why not",
                         "pid why status error command"},
    [EVENT_NEAR_LIMIT] =
        {"near-limit", LEVEL_WARNING,
         "run, watch --arm: a JVM comes near a limit of threads (of), at which HotSpot leaves no evidence: its threads "
         "and class histogram are taken and shipped now, once, or error says why not",
         "pid used limit of error command"},
    [EVENT_ARM_DIED] = {"arm-died", LEVEL_WARNING,
                        "run, watch --arm, guard: the process that arms JVMs, or attaches to them, ended by itself; it "
                        "is started again",
                        "error retry_in_s"},
    [EVENT_GUARDING] = {"guarding", LEVEL_INFO,
                        "guard: a memory cgroup is watched from now on; signals (of the first one): what the kernel "
                        "reports by itself, the rest is sampled; target: its namespace, pod and container where they "
                        "are known; container: the id",
                        "target container limit cgroup signals"},
    [EVENT_GUARD_NAMED] = {"guard-named", LEVEL_INFO,
                           "guard: the names of a target are known now; name: its name from here on", "target name"},
    [EVENT_GUARD_FORGETS] = {"guard-forgets", LEVEL_WARNING,
                             "guard: the record of earlier cases (--state) cannot be written or read: after a restart "
                             "cool-downs and caps start again",
                             "error"},
    [EVENT_GUARD_ALONE] = {"guard-alone", LEVEL_WARNING,
                           "guard: the folder of --share cannot be used: limits that all guards have together hold for "
                           "this one by itself",
                           "error"},
    [EVENT_GUARD_UNWATCHED] =
        {"guard-unwatched", LEVEL_WARNING,
         "guard --all: a memory cgroup cannot be watched; pid: a process in it; reported once for each",
         "cgroup pid pod error"},
    [EVENT_GUARD_LEFT] = {"guard-left", LEVEL_INFO, "guard: a cgroup, or the given process, is gone", "target"},
    [EVENT_GUARD_CASE] = {"guard-case", LEVEL_WARNING, "guard: a condition holds: evidence of the process is taken now",
                          "target pid why"},
    [EVENT_GUARD_MADE] = {"guard-made", LEVEL_INFO,
                          "guard: a case has ended; whole: all that was asked for is in the store; dump_rate: bytes "
                          "per second at which the next heap dump is expected to be written",
                          "target whole seconds dump_rate"},
    [EVENT_GUARD_MISSED] = {"guard-missed", LEVEL_WARNING, "guard: a piece of evidence could not be taken or shipped",
                            "target piece fault error"},
    [EVENT_GUARD_WAITS] =
        {"guard-waits", LEVEL_WARNING,
         "guard: a condition holds, but the target is in its cool-down after a case, or a cap is reached",
         "target why"},
    [EVENT_GUARD_NOT_EVALUATED] =
        {"guard-not-evaluated", LEVEL_WARNING,
         "guard: a condition could not be evaluated for a minute (why: which value is missing); reported once",
         "target why"},
    [EVENT_GUARD_INSIDE] = {"guard-inside", LEVEL_WARNING,
                            "guard: it runs in the cgroup that it watches, or below: its own work needs the memory "
                            "that is running out, and it may be killed first",
                            "target"},
    [EVENT_CORE_SERVING] = {"core-serving", LEVEL_INFO,
                            "core serve: core_pattern names our socket; at the end the handler that core install has "
                            "set is put back",
                            "pattern"},
    [EVENT_CORE_FOUND] = {"core-found", LEVEL_WARNING,
                          "core install: the kernel dumps the core of a process, which is being taken; sensitive: of a "
                          "program with more rights than its user; shipped, core-spooled or core-lost follows",
                          "pid name thread signal uid cgroup sensitive"},
    [EVENT_CORE_SPOOLED] = {"core-spooled", LEVEL_WARNING,
                            "core install: the store would not take evidence (error), so the core lies on this disk; "
                            "salvage watch ships it",
                            "path bytes partial error"},
    [EVENT_CORE_REFUSED] = {"core-refused", LEVEL_INFO,
                            "core install: a core is not taken: by the rules, or the process's RLIMIT_CORE (why); "
                            "left_to: the handler before us, which gets it",
                            "pid name cgroup why left_to"},
    [EVENT_CORE_LIMITED] = {"core-limited", LEVEL_WARNING,
                            "core install: a core was not read: its cgroup has had too many (--rate), or too many are "
                            "read at once (--at-once); not_read: how many of this cgroup by now; logged for the first "
                            "three, then whenever their number has doubled",
                            "pid name cgroup not_read limit"},
    [EVENT_CORE_LOST] = {"core-lost", LEVEL_ERROR, "core install: a core is neither stored nor spooled",
                         "pid name fault error"},
    [EVENT_OOM_KILL] = {"oom-kill", LEVEL_WARNING,
                        "guard: the kernel has killed a process because memory ran out; source: kernel-log or "
                        "counters; case: the evidence taken of it before; the record follows as shipped",
                        "target pid name why limit source namespace pod container container_id case"},
    [EVENT_OOM_UNREAD] = {"oom-unread", LEVEL_INFO,
                          "guard: the kernel log cannot be read: kills are known only from the counters of cgroups",
                          "error"},
    [EVENT_GUARD_LIMIT_CHANGED] = {"guard-limit-changed", LEVEL_WARNING,
                                   "guard: for a case, limits were raised by so much (raised; --lend), or the process "
                                   "is held for so long (held_s; --hold)",
                                   "target raised held_s settings"},
    [EVENT_GUARD_LIMIT_NOT_CHANGED] = {"guard-limit-not-changed", LEVEL_WARNING,
                                       "guard: a limit was not changed for a case, or not by all of what was asked "
                                       "for; lend, hold: why; the case is made all the same",
                                       "target lend hold"},
    [EVENT_GUARD_RESTORED] = {"guard-restored", LEVEL_INFO,
                              "guard: a setting of a cgroup has the value again that it had before a case",
                              "target cgroup file value error"},
    [EVENT_GUARD_NOT_RESTORED] = {"guard-not-restored", LEVEL_WARNING,
                                  "guard: a setting could not be put back yet, or is left as it is (error says why)",
                                  "target cgroup file value error"},
    [EVENT_NODE_STARTED] = {"node-started", LEVEL_INFO,
                            "node: the configuration is good, and its watches and guards are started",
                            "config components"},
    [EVENT_NODE_RELOADED] = {"node-reloaded", LEVEL_INFO,
                             "node: the configuration has changed; changed and removed components are ended, new ones "
                             "are started, and those whose command line is the same run on",
                             "config started changed removed kept"},
    [EVENT_NODE_REFUSED] = {"node-refused", LEVEL_ERROR,
                            "node: the changed configuration has an error (one event for each), or can't be read: all "
                            "runs on by the configuration before",
                            "config line error"},
    [EVENT_NODE_LEFT_BEHIND] = {"node-left-behind", LEVEL_WARNING,
                                "node: the state folder of a destination that the configuration no longer has, or of a "
                                "watch before, holds evidence that nothing ships (docs/node.md)",
                                "dir claims"},
    [EVENT_NODE_LIMITS_APART] = {"node-limits-apart", LEVEL_WARNING,
                                 "node: the folder that the components share can't be used: limits of the whole agent "
                                 "hold for each process by itself",
                                 "error"},
    [EVENT_NO_METRICS] = {"no-metrics", LEVEL_ERROR, "node: metrics can't be shown; the rest runs", "address error"},
    [EVENT_CORES_INSTALLED] = {"cores-installed", LEVEL_INFO,
                               "node: core_pattern names our handler in that folder, for so many destinations; also "
                               "after a change; before: what core_pattern was",
                               "dir destinations pattern before"},
    [EVENT_CORES_UNINSTALLED] = {"cores-uninstalled", LEVEL_INFO,
                                 "node: the configuration has no cores any more: core_pattern is what it was, and the "
                                 "handler and its copies of credentials are gone",
                                 "dir"},
    [EVENT_CORES_FAILED] = {"cores-failed", LEVEL_ERROR,
                            "node: the handler of cores could not be installed, changed or taken back; tried again; "
                            "what was there before goes on",
                            "dir error retry_in_s"},
    [EVENT_POD_SOURCE] = {"pod-source", LEVEL_INFO,
                          "node: this node's pods are known from this source (api, kubelet, logs), now or again",
                          "source pods"},
    [EVENT_POD_SOURCE_FAILED] =
        {"pod-source-failed", LEVEL_WARNING,
         "node: this source of what is known of pods can't be used; it is tried again, and others are used meanwhile; "
         "table: the file for the other components can't be read or written",
         "source path error"},
    [EVENT_POD_LABELS_UNKNOWN] = {"pod-labels-unknown", LEVEL_WARNING,
                                  "node: labels of pods are not known for 30 s: rules that ask for labels or "
                                  "annotations are passed over for them, the others are applied",
                                  "pods"},
    [EVENT_POD_LEFT_OUT] = {"pod-left-out", LEVEL_WARNING,
                            "node: a pod, or some of its texts, are beyond the limits of the table of pods",
                            "source namespace pod pods texts error"},
    [EVENT_COMPONENT_STARTED] = {"component-started", LEVEL_INFO, "node: a watch or guard was started",
                                 "component pid"},
    [EVENT_COMPONENT_DIED] = {"component-died", LEVEL_WARNING,
                              "node: a watch or guard ended by itself, or could not be started; it is started again",
                              "component error retry_in_s"},
    [EVENT_COMPONENT_ENDED] =
        {"component-ended", LEVEL_INFO,
         "node: a watch or guard has ended because it was asked to; killed: it did not within the "
         "grace",
         "component killed"},
    [EVENT_STORE_READY] = {"store-ready", LEVEL_INFO,
                           "watch, guard: the store was asked at the start, or again, and would take evidence", "to"},
    [EVENT_STORE_SETTING] = {"store-setting", LEVEL_WARNING,
                             "a setting for the store's own tools, in the environment or their files, is not honoured "
                             "here, or has an effect worth knowing; reported once",
                             "error"},
    [EVENT_STORE_FAILED] = {"store-failed", LEVEL_WARNING,
                            "watch, guard: the store was asked at the start, or again, and would not take evidence; "
                            "reported once for each reason, and asked again until it would",
                            "to fault error retry_in_s"},
};

const struct event_info *event_find(enum event event)
{
    return &TABLE[event];
}
