/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A java command line as a list of words: which of them are the launcher's and the JVM's, which name the
 * application, and how much of it may be shown. Secrets stand in command lines: properties, agents' options, commands
 * and the application's own arguments are never shown, whatever their names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether argv[0] is the JDK's launcher: else the words are a program's that has a JVM in it, and any may be an option.
 */
bool jvmcommand_is_launcher(size_t argc, char *const *argv);

/* How many words are the launcher's and the JVM's, argv[0] too: what stands from there on is the application's main
 * class (not with -jar or -m) and its arguments. *ret_name is the index of what names the application: the class, the
 * jar or the module; argc where there is none. */
size_t jvmcommand_words(size_t argc, char *const *argv, size_t *ret_name);

/* One line of some 2000 bytes at most: "java -Xmx1g -Ddb.url=... -jar app.jar (2 arguments)". malloc'ed, NULL without
 * memory. */
char *jvmcommand_describe(size_t argc, char *const *argv);
