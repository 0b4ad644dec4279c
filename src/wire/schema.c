/* SPDX-License-Identifier: Apache-2.0 */
/* Hides where the rows of the protocol table live: finds a message by api key and direction. */
#include "wire/schema.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "wire/schema_rows.h"

enum { APIS = 128 }; /* above the greatest key */

static const struct wire_schema *const all[] = {
    &wire_produce_request,
    &wire_produce_response,
    &wire_fetch_request,
    &wire_fetch_response,
    &wire_list_offsets_request,
    &wire_list_offsets_response,
    &wire_metadata_request,
    &wire_metadata_response,
    &wire_find_coordinator_request,
    &wire_find_coordinator_response,
    &wire_api_versions_request,
    &wire_api_versions_response,
    &wire_describe_quorum_request,
    &wire_describe_quorum_response,
    &wire_describe_cluster_request,
    &wire_describe_cluster_response,
    &wire_describe_topic_partitions_request,
    &wire_describe_topic_partitions_response,
    &wire_init_producer_id_request,
    &wire_init_producer_id_response,
    &wire_add_partitions_to_txn_request,
    &wire_add_partitions_to_txn_response,
    &wire_add_offsets_to_txn_request,
    &wire_add_offsets_to_txn_response,
    &wire_end_txn_request,
    &wire_end_txn_response,
    &wire_txn_offset_commit_request,
    &wire_txn_offset_commit_response,
    &wire_offset_commit_request,
    &wire_offset_commit_response,
    &wire_offset_fetch_request,
    &wire_offset_fetch_response,
    &wire_list_transactions_request,
    &wire_list_transactions_response,
    &wire_describe_transactions_request,
    &wire_describe_transactions_response,
    &wire_describe_producers_request,
    &wire_describe_producers_response,
    &wire_describe_groups_request,
    &wire_describe_groups_response,
    &wire_list_groups_request,
    &wire_list_groups_response,
    &wire_create_topics_request,
    &wire_create_topics_response,
    &wire_delete_topics_request,
    &wire_delete_topics_response,
    &wire_delete_records_request,
    &wire_delete_records_response,
    &wire_describe_configs_request,
    &wire_describe_configs_response,
    &wire_join_group_request,
    &wire_join_group_response,
    &wire_sync_group_request,
    &wire_sync_group_response,
    &wire_heartbeat_request,
    &wire_heartbeat_response,
    &wire_leave_group_request,
    &wire_leave_group_response,
    &wire_delete_groups_request,
    &wire_delete_groups_response,
    &wire_offset_delete_request,
    &wire_offset_delete_response,
    &wire_create_partitions_request,
    &wire_create_partitions_response,
    &wire_offset_for_leader_epoch_request,
    &wire_offset_for_leader_epoch_response,
    &wire_write_txn_markers_request,
    &wire_write_txn_markers_response,
    &wire_alter_configs_request,
    &wire_alter_configs_response,
    &wire_incremental_alter_configs_request,
    &wire_incremental_alter_configs_response,
    &wire_consumer_group_heartbeat_request,
    &wire_consumer_group_heartbeat_response,
    &wire_consumer_group_describe_request,
    &wire_consumer_group_describe_response,
    &wire_offset_commit_key,
    &wire_offset_commit_value,
    &wire_transaction_log_key,
    &wire_transaction_log_value,
};

const struct wire_schema *const *wire_schemas(size_t *n)
{
    *n = ARRAY_LEN(all);
    return all;
}

static const struct wire_schema *by_api[APIS][2];

static void make_index(void)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i]->dir != WIRE_DATA) {
            assert(all[i]->api >= 0 && all[i]->api < APIS);
            by_api[all[i]->api][all[i]->dir] = all[i];
        }
    }
}

const struct wire_schema *wire_schema(int16_t api, enum wire_dir dir)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_index);
    return api >= 0 && api < APIS && dir != WIRE_DATA ? by_api[api][dir] : NULL;
}

const char *wire_api_name(int16_t api)
{
    static _Thread_local char name[40];
    const struct wire_schema *s = wire_schema(api, WIRE_REQUEST);
    if (s) {
        snprintf(name, sizeof name, "%.*s", (int)(strlen(s->name) - strlen("Request")), s->name);
    } else {
        snprintf(name, sizeof name, "api %d", api);
    }
    return name;
}

bool wire_header_tagged(const struct wire_schema *s, int16_t version)
{
    /* A client must be able to read an ApiVersions answer before it knows the broker. */
    bool plain = s->api == API_API_VERSIONS && s->dir == WIRE_RESPONSE;
    return version >= s->flexible && !plain;
}
