/* SPDX-License-Identifier: Apache-2.0 */
/* The table of apis that are offered: what is not in it is absent from ApiVersions, and a request
 * for it ends the connection. */
#include "base/mem.h"
#include "broker/call.h"

enum { PRODUCE_USED_FROM = 3 };

static const struct api table[] = {
    /* librdkafka concludes from Produce 0 that old message formats are known; nobody uses it */
    {API_PRODUCE, 0, 13, PRODUCE_USED_FROM, api_produce},
    {API_FETCH, 4, 18, 4, api_fetch},
    {API_LIST_OFFSETS, 1, 11, 1, api_list_offsets},
    {API_METADATA, 0, 13, 0, api_metadata},
    {API_OFFSET_COMMIT, 2, 10, 2, api_offset_commit},
    {API_OFFSET_FETCH, 1, 10, 1, api_offset_fetch},
    {API_FIND_COORDINATOR, 0, 6, 0, api_find_coordinator},
    {API_JOIN_GROUP, 0, 9, 0, api_join_group},
    {API_HEARTBEAT, 0, 4, 0, api_heartbeat},
    {API_LEAVE_GROUP, 0, 5, 0, api_leave_group},
    {API_SYNC_GROUP, 0, 5, 0, api_sync_group},
    {API_DESCRIBE_GROUPS, 0, 6, 0, api_describe_groups},
    {API_LIST_GROUPS, 0, 5, 0, api_list_groups},
    {API_API_VERSIONS, 0, 4, 0, api_versions},
    {API_CREATE_TOPICS, 2, 7, 2, api_create_topics},
    {API_DELETE_TOPICS, 1, 6, 1, api_delete_topics},
    {API_DELETE_RECORDS, 0, 2, 0, api_delete_records},
    {API_INIT_PRODUCER_ID, 0, 5, 0, api_init_producer_id},
    {API_OFFSET_FOR_LEADER_EPOCH, 2, 4, 2, api_epoch_end},
    {API_ADD_PARTITIONS_TO_TXN, 0, 5, 0, api_add_partitions},
    {API_ADD_OFFSETS_TO_TXN, 0, 4, 0, api_add_offsets},
    {API_END_TXN, 0, 5, 0, api_end_txn},
    {API_WRITE_TXN_MARKERS, 1, 2, 1, api_write_markers},
    {API_TXN_OFFSET_COMMIT, 0, 5, 0, api_txn_offset_commit},
    {API_DESCRIBE_CONFIGS, 1, 4, 1, api_describe_configs},
    {API_ALTER_CONFIGS, 0, 2, 0, api_alter_configs},
    {API_CREATE_PARTITIONS, 0, 3, 0, api_create_partitions},
    {API_DELETE_GROUPS, 0, 2, 0, api_delete_groups},
    {API_INCREMENTAL_ALTER_CONFIGS, 0, 1, 0, api_incremental_alter_configs},
    {API_OFFSET_DELETE, 0, 0, 0, api_offset_delete},
    {API_DESCRIBE_QUORUM, 0, 2, 0, api_describe_quorum},
    {API_DESCRIBE_CLUSTER, 0, 2, 0, api_describe_cluster},
    {API_DESCRIBE_PRODUCERS, 0, 0, 0, api_describe_producers},
    {API_DESCRIBE_TRANSACTIONS, 0, 0, 0, api_describe_transactions},
    {API_LIST_TRANSACTIONS, 0, 2, 0, api_list_transactions},
    {API_CONSUMER_GROUP_HEARTBEAT, 0, 1, 0, api_consumer_heartbeat},
    {API_CONSUMER_GROUP_DESCRIBE, 0, 1, 0, api_consumer_describe},
    {API_DESCRIBE_TOPIC_PARTITIONS, 0, 0, 0, api_describe_topic_partitions},
};

const struct api *api_table(size_t *n)
{
    *n = ARRAY_LEN(table);
    return table;
}

const struct api *api_find(int16_t key)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].key == key) {
            return &table[i];
        }
    }
    return NULL;
}

bool api_handles(const struct api *api, int16_t version)
{
    return api && version >= api->min_used && version <= api->max;
}
