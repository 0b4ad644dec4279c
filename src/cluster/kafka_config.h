/* SPDX-License-Identifier: Apache-2.0 */
/* The server.properties of one managed node, from lib/kafka/server.properties. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "cluster/cluster.h"

enum kafka_port { PORT_BROKER, PORT_FAULTY, PORT_DIRECT, PORT_CONTROLLER, PORT_COUNT };

struct kafka_ports {
    int at[PORT_COUNT];
};

struct kafka_config {
    int node, nodes;
    const struct kafka_ports *ports; /**< of all nodes; [0] is node 1 */
    const char *data;                /**< log.dirs */
    bool broker_faults;
    const struct cluster_setting *settings;
    size_t nsettings;
};

/** ERR_USAGE, naming the property: an impossible name or value, or one that kaos needs for itself.
 */
int kafka_config_check(const struct cluster_setting *settings, size_t n, struct err *e);
/** Returned, caller frees with free(). */
char *kafka_config_render(const struct kafka_config *c);
/** How many of n nodes are controllers: an odd number, else one death costs the quorum. */
int kafka_config_controllers(int nodes);
