/* SPDX-License-Identifier: Apache-2.0 */
/* mock TOPIC PARTITIONS: librdkafka's mock cluster as a server, until it is killed. A program of
 * its own, which links nothing else: its start is measured. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char reason[256] = "TOPIC PARTITIONS";
    rd_kafka_t *rk =
        argc == 3 ? rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), reason, sizeof reason)
                  : NULL;
    rd_kafka_mock_cluster_t *c = rk ? rd_kafka_mock_cluster_new(rk, 1) : NULL;
    int partitions = rk ? (int)strtol(argv[2], NULL, 10) : 0;
    if (!c || rd_kafka_mock_topic_create(c, argv[1], partitions, 1) != 0) {
        fprintf(stderr, "mock: no cluster: %s\n", reason);
        return 1;
    }
    printf("listening on %s\n", rd_kafka_mock_cluster_bootstraps(c));
    fflush(stdout);
    for (;;) {
        pause();
    }
}
