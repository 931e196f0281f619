/* SPDX-License-Identifier: Apache-2.0
 *
 * Foreign bytes. A java command line as a list of words: which are options of the launcher and the JVM, which word
 * names the application, and how much may be shown. Command lines contain secrets: the values of properties, agent
 * options, commands, and the application's arguments are never shown, whatever their names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether argv[0] is the JDK's launcher. If not, it is a program that embeds a JVM, and any word may be an option. */
bool jvmcommand_is_launcher(size_t argc, char *const *argv);

/* How many words belong to the launcher and the JVM, argv[0] included; the main class (not with -jar or -m) and the
 * application's arguments follow. *ret_name: the index of the word that names the application, a class, jar or module;
 * argc if there is none. */
size_t jvmcommand_words(size_t argc, char *const *argv, size_t *ret_name);

/* One line of at most some 2000 bytes: "java -Xmx1g -Ddb.url=... -jar app.jar (2 arguments)". malloc'ed, NULL without
 * memory. */
char *jvmcommand_describe(size_t argc, char *const *argv);
