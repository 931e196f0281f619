/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables, and the statements that change them. Raise the number with each change: an older file is made anew.
 */
#pragma once

#include "serve/catalogue_index.h"

enum { CATALOGUE_SCHEMA = 2, CATALOGUE_APPLICATION = 0x73616c76 };

extern const char CATALOGUE_TABLES[];
extern const char *const CATALOGUE_STATEMENTS[INDEX_STATEMENTS];
