/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that hold rows of the protocol table; private to src/wire. */
#pragma once
#include "wire/schema.h"

/** A row; what follows the versions are the macros below. */
#define FIELD(n, t, a, b, ...)                                                                     \
    {                                                                                              \
        .name = (n), .type = WIRE_##t, .from = (a), .to = (b), ##__VA_ARGS__                       \
    }
#define FIELDS_END                                                                                 \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define OF(members) .sub = (members)
#define ARRAY       .array = true
#define NULLABLE(v) .nullable = 1 + (v)
#define TAG(n, v)   .tag = 1 + (n), .tagged_from = (v)
#define DEF(v)      .def = (v)
#define DEF_NULL    .def_null = true

extern const struct wire_schema wire_produce_request;
extern const struct wire_schema wire_produce_response;
extern const struct wire_schema wire_fetch_request;
extern const struct wire_schema wire_fetch_response;
extern const struct wire_schema wire_list_offsets_request;
extern const struct wire_schema wire_list_offsets_response;
extern const struct wire_schema wire_metadata_request;
extern const struct wire_schema wire_metadata_response;
extern const struct wire_schema wire_find_coordinator_request;
extern const struct wire_schema wire_find_coordinator_response;
extern const struct wire_schema wire_api_versions_request;
extern const struct wire_schema wire_api_versions_response;
extern const struct wire_schema wire_describe_quorum_request;
extern const struct wire_schema wire_describe_quorum_response;
extern const struct wire_schema wire_describe_cluster_request;
extern const struct wire_schema wire_describe_cluster_response;
extern const struct wire_schema wire_describe_topic_partitions_request;
extern const struct wire_schema wire_describe_topic_partitions_response;
extern const struct wire_schema wire_init_producer_id_request;
extern const struct wire_schema wire_init_producer_id_response;
extern const struct wire_schema wire_add_partitions_to_txn_request;
extern const struct wire_schema wire_add_partitions_to_txn_response;
extern const struct wire_schema wire_add_offsets_to_txn_request;
extern const struct wire_schema wire_add_offsets_to_txn_response;
extern const struct wire_schema wire_end_txn_request;
extern const struct wire_schema wire_end_txn_response;
extern const struct wire_schema wire_txn_offset_commit_request;
extern const struct wire_schema wire_txn_offset_commit_response;
extern const struct wire_schema wire_offset_commit_request;
extern const struct wire_schema wire_offset_commit_response;
extern const struct wire_schema wire_offset_fetch_request;
extern const struct wire_schema wire_offset_fetch_response;
extern const struct wire_schema wire_list_transactions_request;
extern const struct wire_schema wire_list_transactions_response;
extern const struct wire_schema wire_describe_transactions_request;
extern const struct wire_schema wire_describe_transactions_response;
extern const struct wire_schema wire_describe_producers_request;
extern const struct wire_schema wire_describe_producers_response;
extern const struct wire_schema wire_describe_groups_request;
extern const struct wire_schema wire_describe_groups_response;
extern const struct wire_schema wire_list_groups_request;
extern const struct wire_schema wire_list_groups_response;
extern const struct wire_schema wire_create_topics_request;
extern const struct wire_schema wire_create_topics_response;
extern const struct wire_schema wire_delete_topics_request;
extern const struct wire_schema wire_delete_topics_response;
extern const struct wire_schema wire_delete_records_request;
extern const struct wire_schema wire_delete_records_response;
extern const struct wire_schema wire_describe_configs_request;
extern const struct wire_schema wire_describe_configs_response;
extern const struct wire_schema wire_join_group_request;
extern const struct wire_schema wire_join_group_response;
extern const struct wire_schema wire_sync_group_request;
extern const struct wire_schema wire_sync_group_response;
extern const struct wire_schema wire_heartbeat_request;
extern const struct wire_schema wire_heartbeat_response;
extern const struct wire_schema wire_leave_group_request;
extern const struct wire_schema wire_leave_group_response;
extern const struct wire_schema wire_delete_groups_request;
extern const struct wire_schema wire_delete_groups_response;
extern const struct wire_schema wire_offset_delete_request;
extern const struct wire_schema wire_offset_delete_response;
extern const struct wire_schema wire_create_partitions_request;
extern const struct wire_schema wire_create_partitions_response;
extern const struct wire_schema wire_offset_for_leader_epoch_request;
extern const struct wire_schema wire_offset_for_leader_epoch_response;
extern const struct wire_schema wire_write_txn_markers_request;
extern const struct wire_schema wire_write_txn_markers_response;
extern const struct wire_schema wire_alter_configs_request;
extern const struct wire_schema wire_alter_configs_response;
extern const struct wire_schema wire_incremental_alter_configs_request;
extern const struct wire_schema wire_incremental_alter_configs_response;
extern const struct wire_schema wire_consumer_group_heartbeat_request;
extern const struct wire_schema wire_consumer_group_heartbeat_response;
extern const struct wire_schema wire_consumer_group_describe_request;
extern const struct wire_schema wire_consumer_group_describe_response;
extern const struct wire_schema wire_offset_commit_key;
extern const struct wire_schema wire_offset_commit_value;
extern const struct wire_schema wire_transaction_log_key;
extern const struct wire_schema wire_transaction_log_value;
