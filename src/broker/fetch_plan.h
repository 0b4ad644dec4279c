/* SPDX-License-Identifier: Apache-2.0 */
/* What a Fetch request asks for, be it said in the request or by its session. */
#pragma once
#include "broker/fetch_session.h"

struct fetch_plan {
    struct fetch_ask *asks;
    size_t n;
    struct fetch_session *session; /**< that goes on, NULL = none */
    int32_t epoch;                 /**< that it has if nobody else uses it meanwhile */
    bool begins;                   /**< a session begins with the answer */
};

/** Makes c->plan, which lives as long as the request. @return Kafka's code: not 0 = that is all
 * there is to answer. */
int fetch_plan_make(struct call *c);
/** Lets go of the session; before the request is freed. */
void fetch_plan_free(struct call *c);
