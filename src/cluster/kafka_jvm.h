/* SPDX-License-Identifier: Apache-2.0 */
/* One java process of Kafka: small heap, serial collector, C1 only, class-data sharing. */
#pragma once
#include <stdbool.h>

#include "cluster/kafka_home.h"
#include "io/proc.h"

/** Part of the archive's key: an archive fits only the options it was made with. */
extern const char *const kafka_jvm_options[];

struct kafka_jvm {
    const struct kafka_home *home;
    struct guard *guard;
    const char *dir;         /**< exists; gets the logging configuration and a folder tmp */
    const char *log_path;    /**< everything the process says */
    const char *archive;     /**< class data; NULL = none */
    bool dump;               /**< write the archive at exit instead of using it */
    bool may_outlive;        /**< as in struct proc_opts */
    const char *const *argv; /**< main class and its arguments, NULL-terminated */
    proc_exit_fn on_exit;
    void *arg;
};

/** @return NULL with ERR_PROCESS or ERR_SYSTEM. */
struct proc *kafka_jvm_spawn(const struct kafka_jvm *j, struct err *e);
