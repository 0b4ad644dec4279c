/* SPDX-License-Identifier: Apache-2.0 */
/* Where an Apache Kafka and a java are on this machine (the order of look-up is in cluster.h). */
#pragma once
#include <stdbool.h>

#include "base/err.h"

struct kafka_home {
    char *version;    /**< "4.3.1" */
    char *class_path; /**< absolute jars, sorted: part of what the class-data archive is bound to */
    char *java;       /**< absolute */
    char *cache;      /**< folder of templates and archive; not yet made */
    char *key;        /**< hash of the jars and java, in hexadecimal */
};

/** spec is "kafka" or "kafka:VERSION". @return -1 with ERR_USAGE (not a version) or ERR_PROCESS
 *  (missing jars, missing java; the message says what to do). */
int kafka_home_find(const char *spec, struct kafka_home *h, struct err *e);
/** The java that would be used, caller frees; NULL with ERR_PROCESS. */
char *kafka_home_java(struct err *e);
/** "3.9.2, 4.3.1": the versions whose jars are under HOME, caller frees; "" if there are none. */
char *kafka_home_versions(void);
void kafka_home_free(struct kafka_home *h);
/** The folder HOME of cluster.h that has `inside` (NULL: any); caller frees, NULL if there is none.
 */
char *kafka_home_dir(const char *inside);
/** "4.3.1", "3.9.2-rc1": digits and dots, then anything harmless in a file name. */
bool kafka_home_is_version(const char *s);
/** The major number: 4 for "4.3.1". */
int kafka_home_major(const char *version);
