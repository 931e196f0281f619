/* SPDX-License-Identifier: Apache-2.0
 *
 * Which file of this room answers which request: one table.
 */
#pragma once

#include "serve/request.h"

/* Answers, or calls exchange_receive. */
void route_request(struct request *r);

/* What the table's rows call. Each checks the caller's rights itself (request_may). */
void download_object(struct request *r); /* GET, HEAD of a key (download.c) */
void listing_folder(struct request *r);  /* GET, HEAD of a folder (listing.c) */
void webdav_propfind(struct request *r); /* PROPFIND, OPTIONS (webdav.c) */
void upload_object(struct request *r);   /* PUT, POST of a key; MKCOL (upload.c) */
void upload_resume(struct request *r);   /* HEAD, PATCH, DELETE below -/uploads/ (upload_resume.c) */
void remove_object(struct request *r);   /* DELETE of a key (remove.c) */
void health_answer(struct request *r);   /* /healthz, /readyz (health.c) */
void metrics_answer(struct request *r);  /* /metrics (metrics_page.c) */
void cases_answer(struct request *r);    /* -/api/cases (cases_api.c) */
void whoami_answer(struct request *r);   /* below -/api/whoami/ (whoami_api.c) */
void captures_answer(struct request *r); /* -/api/requests, and below it (captures_api.c) */
void captures_agent(struct request *r);  /* -/api/agent/requests, and below it (captures_api.c) */
void sign_in(struct request *r);         /* below -/login, -/logout, -/link (sign_in.c) */
void analyse_answer(struct request *r);  /* -/analyse, -/api/analyse of a case (page_analyse.c) */
void page_care(struct request *r);       /* -/pin, -/unpin, -/delete of a case (page_care.c) */
void page_answer(struct request *r);     /* everything else below -/ (page.c) */
