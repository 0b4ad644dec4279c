/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the protocol table for what only a server needs beyond the others. Pure data; the
 * order of rows is the order on the wire. Columns: see struct wire_field. */
#include "wire/schema_rows.h"

static const struct wire_field create_partitions_request_create_partitions_assignment[] = {
    FIELD("BrokerIds", INT32, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field create_partitions_request_create_partitions_topic[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Count", INT32, 0, WIRE_MAX),
    FIELD("Assignments", STRUCT, 0, WIRE_MAX,
          OF(create_partitions_request_create_partitions_assignment), ARRAY, NULLABLE(0)),
    FIELDS_END,
};
static const struct wire_field create_partitions_request[] = {
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(create_partitions_request_create_partitions_topic),
          ARRAY),
    FIELD("TimeoutMs", INT32, 0, WIRE_MAX),
    FIELD("ValidateOnly", BOOL, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_create_partitions_request = {
    "CreatePartitionsRequest", 37, WIRE_REQUEST, 0, 3, 2, create_partitions_request,
};

static const struct wire_field create_partitions_response_create_partitions_topic_result[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELDS_END,
};
static const struct wire_field create_partitions_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Results", STRUCT, 0, WIRE_MAX,
          OF(create_partitions_response_create_partitions_topic_result), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_create_partitions_response = {
    "CreatePartitionsResponse", 37, WIRE_RESPONSE, 0, 3, 2, create_partitions_response,
};

static const struct wire_field offset_for_leader_epoch_request_offset_for_leader_partition[] = {
    FIELD("Partition", INT32, 0, WIRE_MAX),
    FIELD("CurrentLeaderEpoch", INT32, 2, WIRE_MAX, DEF(-1)),
    FIELD("LeaderEpoch", INT32, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field offset_for_leader_epoch_request_offset_for_leader_topic[] = {
    FIELD("Topic", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX,
          OF(offset_for_leader_epoch_request_offset_for_leader_partition), ARRAY),
    FIELDS_END,
};
static const struct wire_field offset_for_leader_epoch_request[] = {
    FIELD("ReplicaId", INT32, 3, WIRE_MAX, DEF(-2)),
    FIELD("Topics", STRUCT, 0, WIRE_MAX,
          OF(offset_for_leader_epoch_request_offset_for_leader_topic), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_offset_for_leader_epoch_request = {
    "OffsetForLeaderEpochRequest", 23, WIRE_REQUEST, 2, 4, 4, offset_for_leader_epoch_request,
};

static const struct wire_field offset_for_leader_epoch_response_epoch_end_offset[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("Partition", INT32, 0, WIRE_MAX),
    FIELD("LeaderEpoch", INT32, 1, WIRE_MAX, DEF(-1)),
    FIELD("EndOffset", INT64, 0, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
static const struct wire_field offset_for_leader_epoch_response_offset_for_leader_topic_result[] = {
    FIELD("Topic", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX, OF(offset_for_leader_epoch_response_epoch_end_offset),
          ARRAY),
    FIELDS_END,
};
static const struct wire_field offset_for_leader_epoch_response[] = {
    FIELD("ThrottleTimeMs", INT32, 2, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX,
          OF(offset_for_leader_epoch_response_offset_for_leader_topic_result), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_offset_for_leader_epoch_response = {
    "OffsetForLeaderEpochResponse", 23, WIRE_RESPONSE, 2, 4, 4, offset_for_leader_epoch_response,
};

static const struct wire_field write_txn_markers_request_writable_txn_marker_topic[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("PartitionIndexes", INT32, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field write_txn_markers_request_writable_txn_marker[] = {
    FIELD("ProducerId", INT64, 0, WIRE_MAX),
    FIELD("ProducerEpoch", INT16, 0, WIRE_MAX),
    FIELD("TransactionResult", BOOL, 0, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(write_txn_markers_request_writable_txn_marker_topic),
          ARRAY),
    FIELD("CoordinatorEpoch", INT32, 0, WIRE_MAX),
    FIELD("TransactionVersion", INT8, 2, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field write_txn_markers_request[] = {
    FIELD("Markers", STRUCT, 0, WIRE_MAX, OF(write_txn_markers_request_writable_txn_marker), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_write_txn_markers_request = {
    "WriteTxnMarkersRequest", 27, WIRE_REQUEST, 1, 2, 1, write_txn_markers_request,
};

static const struct wire_field write_txn_markers_response_writable_txn_marker_partition_result[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field write_txn_markers_response_writable_txn_marker_topic_result[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX,
          OF(write_txn_markers_response_writable_txn_marker_partition_result), ARRAY),
    FIELDS_END,
};
static const struct wire_field write_txn_markers_response_writable_txn_marker_result[] = {
    FIELD("ProducerId", INT64, 0, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX,
          OF(write_txn_markers_response_writable_txn_marker_topic_result), ARRAY),
    FIELDS_END,
};
static const struct wire_field write_txn_markers_response[] = {
    FIELD("Markers", STRUCT, 0, WIRE_MAX, OF(write_txn_markers_response_writable_txn_marker_result),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_write_txn_markers_response = {
    "WriteTxnMarkersResponse", 27, WIRE_RESPONSE, 1, 2, 1, write_txn_markers_response,
};

static const struct wire_field alter_configs_request_alterable_config[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Value", STRING, 0, WIRE_MAX, NULLABLE(0)),
    FIELDS_END,
};
static const struct wire_field alter_configs_request_alter_configs_resource[] = {
    FIELD("ResourceType", INT8, 0, WIRE_MAX),
    FIELD("ResourceName", STRING, 0, WIRE_MAX),
    FIELD("Configs", STRUCT, 0, WIRE_MAX, OF(alter_configs_request_alterable_config), ARRAY),
    FIELDS_END,
};
static const struct wire_field alter_configs_request[] = {
    FIELD("Resources", STRUCT, 0, WIRE_MAX, OF(alter_configs_request_alter_configs_resource),
          ARRAY),
    FIELD("ValidateOnly", BOOL, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_alter_configs_request = {
    "AlterConfigsRequest", 33, WIRE_REQUEST, 0, 2, 2, alter_configs_request,
};

static const struct wire_field alter_configs_response_alter_configs_resource_response[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 0, WIRE_MAX, NULLABLE(0)),
    FIELD("ResourceType", INT8, 0, WIRE_MAX),
    FIELD("ResourceName", STRING, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field alter_configs_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Responses", STRUCT, 0, WIRE_MAX,
          OF(alter_configs_response_alter_configs_resource_response), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_alter_configs_response = {
    "AlterConfigsResponse", 33, WIRE_RESPONSE, 0, 2, 2, alter_configs_response,
};

static const struct wire_field incremental_alter_configs_request_alterable_config[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("ConfigOperation", INT8, 0, WIRE_MAX),
    FIELD("Value", STRING, 0, WIRE_MAX, NULLABLE(0)),
    FIELDS_END,
};
static const struct wire_field incremental_alter_configs_request_alter_configs_resource[] = {
    FIELD("ResourceType", INT8, 0, WIRE_MAX),
    FIELD("ResourceName", STRING, 0, WIRE_MAX),
    FIELD("Configs", STRUCT, 0, WIRE_MAX, OF(incremental_alter_configs_request_alterable_config),
          ARRAY),
    FIELDS_END,
};
static const struct wire_field incremental_alter_configs_request[] = {
    FIELD("Resources", STRUCT, 0, WIRE_MAX,
          OF(incremental_alter_configs_request_alter_configs_resource), ARRAY),
    FIELD("ValidateOnly", BOOL, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_incremental_alter_configs_request = {
    "IncrementalAlterConfigsRequest", 44, WIRE_REQUEST, 0, 1, 1, incremental_alter_configs_request,
};

static const struct wire_field
    incremental_alter_configs_response_alter_configs_resource_response[] = {
        FIELD("ErrorCode", INT16, 0, WIRE_MAX),
        FIELD("ErrorMessage", STRING, 0, WIRE_MAX, NULLABLE(0)),
        FIELD("ResourceType", INT8, 0, WIRE_MAX),
        FIELD("ResourceName", STRING, 0, WIRE_MAX),
        FIELDS_END,
};
static const struct wire_field incremental_alter_configs_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Responses", STRUCT, 0, WIRE_MAX,
          OF(incremental_alter_configs_response_alter_configs_resource_response), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_incremental_alter_configs_response = {
    "IncrementalAlterConfigsResponse",  44, WIRE_RESPONSE, 0, 1, 1,
    incremental_alter_configs_response,
};

static const struct wire_field describe_topic_partitions_request_topic_request[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field describe_topic_partitions_request_cursor[] = {
    FIELD("TopicName", STRING, 0, WIRE_MAX),
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field describe_topic_partitions_request[] = {
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(describe_topic_partitions_request_topic_request),
          ARRAY),
    FIELD("ResponsePartitionLimit", INT32, 0, WIRE_MAX, DEF(2000)),
    FIELD("Cursor", STRUCT, 0, WIRE_MAX, OF(describe_topic_partitions_request_cursor), NULLABLE(0),
          DEF_NULL),
    FIELDS_END,
};
const struct wire_schema wire_describe_topic_partitions_request = {
    "DescribeTopicPartitionsRequest", 75, WIRE_REQUEST, 0, 0, 0, describe_topic_partitions_request,
};

static const struct wire_field describe_topic_partitions_response_partition[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("LeaderId", INT32, 0, WIRE_MAX),
    FIELD("LeaderEpoch", INT32, 0, WIRE_MAX, DEF(-1)),
    FIELD("ReplicaNodes", INT32, 0, WIRE_MAX, ARRAY),
    FIELD("IsrNodes", INT32, 0, WIRE_MAX, ARRAY),
    FIELD("EligibleLeaderReplicas", INT32, 0, WIRE_MAX, ARRAY, NULLABLE(0), DEF_NULL),
    FIELD("LastKnownElr", INT32, 0, WIRE_MAX, ARRAY, NULLABLE(0), DEF_NULL),
    FIELD("OfflineReplicas", INT32, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_topic_partitions_response_topic[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("Name", STRING, 0, WIRE_MAX, NULLABLE(0)),
    FIELD("TopicId", UUID, 0, WIRE_MAX),
    FIELD("IsInternal", BOOL, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX, OF(describe_topic_partitions_response_partition),
          ARRAY),
    FIELD("TopicAuthorizedOperations", INT32, 0, WIRE_MAX, DEF(-2147483648)),
    FIELDS_END,
};
static const struct wire_field describe_topic_partitions_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(describe_topic_partitions_response_topic), ARRAY),
    FIELD("NextCursor", STRUCT, 0, WIRE_MAX, OF(describe_topic_partitions_request_cursor),
          NULLABLE(0), DEF_NULL),
    FIELDS_END,
};
const struct wire_schema wire_describe_topic_partitions_response = {
    "DescribeTopicPartitionsResponse",  75, WIRE_RESPONSE, 0, 0, 0,
    describe_topic_partitions_response,
};
