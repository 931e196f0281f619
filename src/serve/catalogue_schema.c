/* SPDX-License-Identifier: Apache-2.0
 *
 * An object's number is that of its case, shifted by OBJECT_BITS, and one of its own: so the rows of `words` lead to
 * cases without a second table. A case's row repeats what its most telling object says. A loop is what the pages fold
 * into one row: cases of one namespace, workload, container and cause, none further than six hours from the next.
 */
#include "serve/catalogue_schema.h"

const char CATALOGUE_TABLES[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;"
    "CREATE TABLE objects(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, rank INTEGER, time_ns INTEGER, size "
    "INTEGER,"
    " stored_size INTEGER, file_size INTEGER, file_time_ns INTEGER, partial INTEGER, pod TEXT, container TEXT,"
    " workload TEXT, cause TEXT, kind TEXT, detail TEXT, class TEXT);"
    "CREATE TABLE cases(id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, namespace TEXT NOT NULL, workload TEXT,"
    " pod TEXT, container TEXT, cause TEXT, kind TEXT, detail TEXT, time_ns INTEGER, size INTEGER, stored_size INTEGER,"
    " objects INTEGER, partial INTEGER, pinned INTEGER, loop INTEGER, class TEXT, suspect TEXT);"
    "CREATE INDEX cases_by_time ON cases(time_ns);"
    "CREATE INDEX cases_by_namespace ON cases(namespace, time_ns, objects, stored_size);"
    "CREATE INDEX cases_by_workload ON cases(workload, time_ns);"
    "CREATE INDEX cases_by_pod ON cases(pod, time_ns);"
    "CREATE INDEX cases_by_loop ON cases(loop, time_ns, suspect, class);"
    "CREATE INDEX cases_by_suspect ON cases(suspect, time_ns);"
    "CREATE INDEX cases_by_class ON cases(class, time_ns);"
    "CREATE TABLE loops(id INTEGER PRIMARY KEY, namespace TEXT, workload TEXT, container TEXT, cause TEXT,"
    " first_ns INTEGER, last_ns INTEGER, newest INTEGER, count INTEGER);"
    "CREATE INDEX loops_by_time ON loops(last_ns, newest);"
    "CREATE INDEX loops_by_series ON loops(namespace, workload, container, cause, last_ns);"
    "CREATE TABLE pins(path TEXT PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE suspects(path TEXT PRIMARY KEY, suspect TEXT, file_size INTEGER, file_time_ns INTEGER) WITHOUT ROWID;"
    "CREATE TABLE others(namespace TEXT PRIMARY KEY, objects INTEGER, bytes INTEGER) WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE words USING fts5(text, tokenize='ascii', detail='none', columnsize=0, prefix='3 4');";

#define CASE_FACTS "workload, pod, container, cause, kind, detail, class"

const char *const CATALOGUE_STATEMENTS[INDEX_STATEMENTS] = {
    [FIND_OBJECT] = "SELECT id, file_size, file_time_ns FROM objects WHERE key = ?",
    [FIND_CASE] = "SELECT id FROM cases WHERE path = ?",
    [LAST_OBJECT] = "SELECT max(id) FROM objects WHERE id BETWEEN ? AND ?",
    [ADD_OBJECT] = "INSERT INTO objects(id, key, rank, time_ns, size, stored_size, file_size, file_time_ns, partial,"
                   " " CASE_FACTS ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [DROP_OBJECT] = "DELETE FROM objects WHERE id = ?",
    [ADD_WORDS] = "INSERT INTO words(rowid, text) VALUES(?, ?)",
    [DROP_WORDS] = "DELETE FROM words WHERE rowid = ?",
    [OBJECTS_OF_CASE] = "SELECT time_ns, size, stored_size, partial, " CASE_FACTS
                        " FROM objects WHERE id BETWEEN ? AND ? ORDER BY rank DESC, id",
    [ADD_CASE] = "INSERT INTO cases(path, namespace, pinned) VALUES(?, ?, ?)",
    [SET_CASE] = "UPDATE cases SET workload = ?, pod = ?, container = ?, cause = ?, kind = ?, detail = ?, time_ns = ?,"
                 " size = ?, stored_size = ?, objects = ?, partial = ?, class = ? WHERE id = ?",
    [FIND_SUSPECT] = "SELECT file_size, file_time_ns FROM suspects WHERE path = ?",
    [SET_SUSPECT] = "INSERT INTO suspects(path, suspect, file_size, file_time_ns) VALUES(?1, ?2, ?3, ?4)"
                    " ON CONFLICT(path) DO UPDATE SET suspect = ?2, file_size = ?3, file_time_ns = ?4",
    [DROP_SUSPECT] = "DELETE FROM suspects WHERE path = ?",
    [SUSPECT_OF_CASE] = "UPDATE cases SET suspect = (SELECT s.suspect FROM suspects s WHERE s.path = cases.path)"
                        " WHERE id = ?",
    [ADD_SUSPECT_WORDS] = "INSERT INTO words(rowid, text) SELECT ?, suspect FROM cases WHERE id = ?"
                          " AND suspect IS NOT NULL",
    [DROP_CASE] = "DELETE FROM cases WHERE id = ?",
    [PIN] = "INSERT OR IGNORE INTO pins(path) VALUES(?)",
    [FIND_PIN] = "SELECT 1 FROM pins WHERE path = ?",
    [UNPIN] = "DELETE FROM pins WHERE path = ?",
    [PIN_CASE] = "UPDATE cases SET pinned = ? WHERE path = ? AND pinned <> ?1",
    [LOOP_OF_CASE] = "SELECT l.id, l.first_ns, l.last_ns, l.newest, l.count FROM cases c JOIN loops l ON l.id = c.loop"
                     " WHERE c.id = ?",
    [LOOPS_NEAR] = "SELECT id, first_ns, last_ns, newest, count FROM loops WHERE namespace = ?1 AND workload = ?2"
                   " AND container IS ?3 AND cause IS ?4 AND last_ns >= ?5 - ?6 AND first_ns <= ?5 + ?6",
    [LOOP_ADD] = "INSERT INTO loops(namespace, workload, container, cause) VALUES(?, ?, ?, ?)",
    [LOOP_SET] = "UPDATE loops SET first_ns = ?, last_ns = ?, newest = ?, count = ? WHERE id = ?",
    [LOOP_DROP] = "DELETE FROM loops WHERE id = ?",
    [LOOP_MERGE] = "UPDATE cases SET loop = ? WHERE loop = ?",
    [LOOP_FIRST] = "SELECT time_ns FROM cases WHERE loop = ? ORDER BY time_ns LIMIT 1",
    [LOOP_LAST] = "SELECT time_ns, id FROM cases WHERE loop = ? ORDER BY time_ns DESC, id DESC LIMIT 1",
    [JOIN_LOOP] = "UPDATE cases SET loop = ? WHERE id = ?",
    [CLEAR_OTHERS] = "DELETE FROM others",
    [SET_SPACE] = "INSERT INTO others(namespace, objects, bytes) SELECT ?1, max(0, ?2 - 2 * coalesce(sum(objects), 0)),"
                  " max(0, ?3 - total(stored_size)) FROM cases WHERE namespace = ?1",
    [META_GET] = "SELECT value FROM meta WHERE name = ?",
    [META_SET] = "INSERT INTO meta(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2",
};
