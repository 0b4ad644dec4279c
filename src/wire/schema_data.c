/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the protocol table for data path: Produce, Fetch, offsets, metadata and coordinators.
 * Pure data; the order of rows is the order on the wire. Columns: see struct wire_field. */
#include "wire/schema_rows.h"

static const struct wire_field produce_request_partition_produce_data[] = {
    FIELD("Index", INT32, 0, WIRE_MAX),
    FIELD("Records", RECORDS, 0, WIRE_MAX, NULLABLE(0)),
    FIELDS_END,
};
static const struct wire_field produce_request_topic_produce_data[] = {
    FIELD("Name", STRING, 0, 12),
    FIELD("TopicId", UUID, 13, WIRE_MAX),
    FIELD("PartitionData", STRUCT, 0, WIRE_MAX, OF(produce_request_partition_produce_data), ARRAY),
    FIELDS_END,
};
static const struct wire_field produce_request[] = {
    FIELD("TransactionalId", STRING, 3, WIRE_MAX, NULLABLE(3), DEF_NULL),
    FIELD("Acks", INT16, 0, WIRE_MAX),
    FIELD("TimeoutMs", INT32, 0, WIRE_MAX),
    FIELD("TopicData", STRUCT, 0, WIRE_MAX, OF(produce_request_topic_produce_data), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_produce_request = {
    "ProduceRequest", 0, WIRE_REQUEST, 3, 13, 9, produce_request,
};

static const struct wire_field produce_response_batch_index_and_error_message[] = {
    FIELD("BatchIndex", INT32, 8, WIRE_MAX),
    FIELD("BatchIndexErrorMessage", STRING, 8, WIRE_MAX, NULLABLE(8), DEF_NULL),
    FIELDS_END,
};
static const struct wire_field produce_response_leader_id_and_epoch[] = {
    FIELD("LeaderId", INT32, 10, WIRE_MAX, DEF(-1)),
    FIELD("LeaderEpoch", INT32, 10, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
static const struct wire_field produce_response_partition_produce_response[] = {
    FIELD("Index", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("BaseOffset", INT64, 0, WIRE_MAX),
    FIELD("LogAppendTimeMs", INT64, 2, WIRE_MAX, DEF(-1)),
    FIELD("LogStartOffset", INT64, 5, WIRE_MAX, DEF(-1)),
    FIELD("RecordErrors", STRUCT, 8, WIRE_MAX, OF(produce_response_batch_index_and_error_message),
          ARRAY),
    FIELD("ErrorMessage", STRING, 8, WIRE_MAX, NULLABLE(8), DEF_NULL),
    FIELD("CurrentLeader", STRUCT, 10, WIRE_MAX, OF(produce_response_leader_id_and_epoch),
          TAG(0, 10)),
    FIELDS_END,
};
static const struct wire_field produce_response_topic_produce_response[] = {
    FIELD("Name", STRING, 0, 12),
    FIELD("TopicId", UUID, 13, WIRE_MAX),
    FIELD("PartitionResponses", STRUCT, 0, WIRE_MAX,
          OF(produce_response_partition_produce_response), ARRAY),
    FIELDS_END,
};
static const struct wire_field produce_response_node_endpoint[] = {
    FIELD("NodeId", INT32, 10, WIRE_MAX),
    FIELD("Host", STRING, 10, WIRE_MAX),
    FIELD("Port", INT32, 10, WIRE_MAX),
    FIELD("Rack", STRING, 10, WIRE_MAX, NULLABLE(10), DEF_NULL),
    FIELDS_END,
};
static const struct wire_field produce_response[] = {
    FIELD("Responses", STRUCT, 0, WIRE_MAX, OF(produce_response_topic_produce_response), ARRAY),
    FIELD("ThrottleTimeMs", INT32, 1, WIRE_MAX),
    FIELD("NodeEndpoints", STRUCT, 10, WIRE_MAX, OF(produce_response_node_endpoint), ARRAY,
          TAG(0, 10)),
    FIELDS_END,
};
const struct wire_schema wire_produce_response = {
    "ProduceResponse", 0, WIRE_RESPONSE, 3, 13, 9, produce_response,
};

static const struct wire_field fetch_request_replica_state[] = {
    FIELD("ReplicaId", INT32, 15, WIRE_MAX, DEF(-1)),
    FIELD("ReplicaEpoch", INT64, 15, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
static const struct wire_field fetch_request_fetch_partition[] = {
    FIELD("Partition", INT32, 0, WIRE_MAX),
    FIELD("CurrentLeaderEpoch", INT32, 9, WIRE_MAX, DEF(-1)),
    FIELD("FetchOffset", INT64, 0, WIRE_MAX),
    FIELD("LastFetchedEpoch", INT32, 12, WIRE_MAX, DEF(-1)),
    FIELD("LogStartOffset", INT64, 5, WIRE_MAX, DEF(-1)),
    FIELD("PartitionMaxBytes", INT32, 0, WIRE_MAX),
    FIELD("ReplicaDirectoryId", UUID, 17, WIRE_MAX, TAG(0, 17)),
    FIELD("HighWatermark", INT64, 18, WIRE_MAX, TAG(1, 18), DEF(INT64_MAX)),
    FIELDS_END,
};
static const struct wire_field fetch_request_fetch_topic[] = {
    FIELD("Topic", STRING, 0, 12),
    FIELD("TopicId", UUID, 13, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX, OF(fetch_request_fetch_partition), ARRAY),
    FIELDS_END,
};
static const struct wire_field fetch_request_forgotten_topic[] = {
    FIELD("Topic", STRING, 7, 12),
    FIELD("TopicId", UUID, 13, WIRE_MAX),
    FIELD("Partitions", INT32, 7, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field fetch_request[] = {
    FIELD("ClusterId", STRING, 12, WIRE_MAX, NULLABLE(12), TAG(0, 12), DEF_NULL),
    FIELD("ReplicaId", INT32, 0, 14, DEF(-1)),
    FIELD("ReplicaState", STRUCT, 15, WIRE_MAX, OF(fetch_request_replica_state), TAG(1, 15)),
    FIELD("MaxWaitMs", INT32, 0, WIRE_MAX),
    FIELD("MinBytes", INT32, 0, WIRE_MAX),
    FIELD("MaxBytes", INT32, 3, WIRE_MAX, DEF(INT32_MAX)),
    FIELD("IsolationLevel", INT8, 4, WIRE_MAX),
    FIELD("SessionId", INT32, 7, WIRE_MAX),
    FIELD("SessionEpoch", INT32, 7, WIRE_MAX, DEF(-1)),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(fetch_request_fetch_topic), ARRAY),
    FIELD("ForgottenTopicsData", STRUCT, 7, WIRE_MAX, OF(fetch_request_forgotten_topic), ARRAY),
    FIELD("RackId", STRING, 11, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_fetch_request = {
    "FetchRequest", 1, WIRE_REQUEST, 4, 18, 12, fetch_request,
};

static const struct wire_field fetch_response_epoch_end_offset[] = {
    FIELD("Epoch", INT32, 12, WIRE_MAX, DEF(-1)),
    FIELD("EndOffset", INT64, 12, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
static const struct wire_field fetch_response_leader_id_and_epoch[] = {
    FIELD("LeaderId", INT32, 12, WIRE_MAX, DEF(-1)),
    FIELD("LeaderEpoch", INT32, 12, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
static const struct wire_field fetch_response_snapshot_id[] = {
    FIELD("EndOffset", INT64, 0, WIRE_MAX, DEF(-1)),
    FIELD("Epoch", INT32, 0, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
static const struct wire_field fetch_response_aborted_transaction[] = {
    FIELD("ProducerId", INT64, 4, WIRE_MAX),
    FIELD("FirstOffset", INT64, 4, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field fetch_response_partition_data[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("HighWatermark", INT64, 0, WIRE_MAX),
    FIELD("LastStableOffset", INT64, 4, WIRE_MAX, DEF(-1)),
    FIELD("LogStartOffset", INT64, 5, WIRE_MAX, DEF(-1)),
    FIELD("DivergingEpoch", STRUCT, 12, WIRE_MAX, OF(fetch_response_epoch_end_offset), TAG(0, 12)),
    FIELD("CurrentLeader", STRUCT, 12, WIRE_MAX, OF(fetch_response_leader_id_and_epoch),
          TAG(1, 12)),
    FIELD("SnapshotId", STRUCT, 12, WIRE_MAX, OF(fetch_response_snapshot_id), TAG(2, 12)),
    FIELD("AbortedTransactions", STRUCT, 4, WIRE_MAX, OF(fetch_response_aborted_transaction), ARRAY,
          NULLABLE(4)),
    FIELD("PreferredReadReplica", INT32, 11, WIRE_MAX, DEF(-1)),
    FIELD("Records", RECORDS, 0, WIRE_MAX, NULLABLE(0)),
    FIELDS_END,
};
static const struct wire_field fetch_response_fetchable_topic_response[] = {
    FIELD("Topic", STRING, 0, 12),
    FIELD("TopicId", UUID, 13, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX, OF(fetch_response_partition_data), ARRAY),
    FIELDS_END,
};
static const struct wire_field fetch_response_node_endpoint[] = {
    FIELD("NodeId", INT32, 16, WIRE_MAX),
    FIELD("Host", STRING, 16, WIRE_MAX),
    FIELD("Port", INT32, 16, WIRE_MAX),
    FIELD("Rack", STRING, 16, WIRE_MAX, NULLABLE(16), DEF_NULL),
    FIELDS_END,
};
static const struct wire_field fetch_response[] = {
    FIELD("ThrottleTimeMs", INT32, 1, WIRE_MAX),
    FIELD("ErrorCode", INT16, 7, WIRE_MAX),
    FIELD("SessionId", INT32, 7, WIRE_MAX),
    FIELD("Responses", STRUCT, 0, WIRE_MAX, OF(fetch_response_fetchable_topic_response), ARRAY),
    FIELD("NodeEndpoints", STRUCT, 16, WIRE_MAX, OF(fetch_response_node_endpoint), ARRAY,
          TAG(0, 16)),
    FIELDS_END,
};
const struct wire_schema wire_fetch_response = {
    "FetchResponse", 1, WIRE_RESPONSE, 4, 18, 12, fetch_response,
};

static const struct wire_field list_offsets_request_list_offsets_partition[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("CurrentLeaderEpoch", INT32, 4, WIRE_MAX, DEF(-1)),
    FIELD("Timestamp", INT64, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field list_offsets_request_list_offsets_topic[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX, OF(list_offsets_request_list_offsets_partition),
          ARRAY),
    FIELDS_END,
};
static const struct wire_field list_offsets_request[] = {
    FIELD("ReplicaId", INT32, 0, WIRE_MAX),
    FIELD("IsolationLevel", INT8, 2, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(list_offsets_request_list_offsets_topic), ARRAY),
    FIELD("TimeoutMs", INT32, 10, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_list_offsets_request = {
    "ListOffsetsRequest", 2, WIRE_REQUEST, 1, 11, 6, list_offsets_request,
};

static const struct wire_field list_offsets_response_list_offsets_partition_response[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),       FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("Timestamp", INT64, 1, WIRE_MAX, DEF(-1)),   FIELD("Offset", INT64, 1, WIRE_MAX, DEF(-1)),
    FIELD("LeaderEpoch", INT32, 4, WIRE_MAX, DEF(-1)), FIELDS_END,
};
static const struct wire_field list_offsets_response_list_offsets_topic_response[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX,
          OF(list_offsets_response_list_offsets_partition_response), ARRAY),
    FIELDS_END,
};
static const struct wire_field list_offsets_response[] = {
    FIELD("ThrottleTimeMs", INT32, 2, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(list_offsets_response_list_offsets_topic_response),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_list_offsets_response = {
    "ListOffsetsResponse", 2, WIRE_RESPONSE, 1, 11, 6, list_offsets_response,
};

static const struct wire_field metadata_request_metadata_request_topic[] = {
    FIELD("TopicId", UUID, 10, WIRE_MAX),
    FIELD("Name", STRING, 0, WIRE_MAX, NULLABLE(10)),
    FIELDS_END,
};
static const struct wire_field metadata_request[] = {
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(metadata_request_metadata_request_topic), ARRAY,
          NULLABLE(1)),
    FIELD("AllowAutoTopicCreation", BOOL, 4, WIRE_MAX, DEF(1)),
    FIELD("IncludeClusterAuthorizedOperations", BOOL, 8, 10),
    FIELD("IncludeTopicAuthorizedOperations", BOOL, 8, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_metadata_request = {
    "MetadataRequest", 3, WIRE_REQUEST, 0, 13, 9, metadata_request,
};

static const struct wire_field metadata_response_metadata_response_broker[] = {
    FIELD("NodeId", INT32, 0, WIRE_MAX),
    FIELD("Host", STRING, 0, WIRE_MAX),
    FIELD("Port", INT32, 0, WIRE_MAX),
    FIELD("Rack", STRING, 1, WIRE_MAX, NULLABLE(1), DEF_NULL),
    FIELDS_END,
};
static const struct wire_field metadata_response_metadata_response_partition[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("LeaderId", INT32, 0, WIRE_MAX),
    FIELD("LeaderEpoch", INT32, 7, WIRE_MAX, DEF(-1)),
    FIELD("ReplicaNodes", INT32, 0, WIRE_MAX, ARRAY),
    FIELD("IsrNodes", INT32, 0, WIRE_MAX, ARRAY),
    FIELD("OfflineReplicas", INT32, 5, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field metadata_response_metadata_response_topic[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("Name", STRING, 0, WIRE_MAX, NULLABLE(12)),
    FIELD("TopicId", UUID, 10, WIRE_MAX),
    FIELD("IsInternal", BOOL, 1, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX, OF(metadata_response_metadata_response_partition),
          ARRAY),
    FIELD("TopicAuthorizedOperations", INT32, 8, WIRE_MAX, DEF(-2147483648)),
    FIELDS_END,
};
static const struct wire_field metadata_response[] = {
    FIELD("ThrottleTimeMs", INT32, 3, WIRE_MAX),
    FIELD("Brokers", STRUCT, 0, WIRE_MAX, OF(metadata_response_metadata_response_broker), ARRAY),
    FIELD("ClusterId", STRING, 2, WIRE_MAX, NULLABLE(2), DEF_NULL),
    FIELD("ControllerId", INT32, 1, WIRE_MAX, DEF(-1)),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(metadata_response_metadata_response_topic), ARRAY),
    FIELD("ClusterAuthorizedOperations", INT32, 8, 10, DEF(-2147483648)),
    FIELD("ErrorCode", INT16, 13, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_metadata_response = {
    "MetadataResponse", 3, WIRE_RESPONSE, 0, 13, 9, metadata_response,
};

static const struct wire_field find_coordinator_request[] = {
    FIELD("Key", STRING, 0, 3),
    FIELD("KeyType", INT8, 1, WIRE_MAX),
    FIELD("CoordinatorKeys", STRING, 4, WIRE_MAX, ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_find_coordinator_request = {
    "FindCoordinatorRequest", 10, WIRE_REQUEST, 0, 6, 3, find_coordinator_request,
};

static const struct wire_field find_coordinator_response_coordinator[] = {
    FIELD("Key", STRING, 4, WIRE_MAX),
    FIELD("NodeId", INT32, 4, WIRE_MAX),
    FIELD("Host", STRING, 4, WIRE_MAX),
    FIELD("Port", INT32, 4, WIRE_MAX),
    FIELD("ErrorCode", INT16, 4, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 4, WIRE_MAX, NULLABLE(4)),
    FIELDS_END,
};
static const struct wire_field find_coordinator_response[] = {
    FIELD("ThrottleTimeMs", INT32, 1, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, 3),
    FIELD("ErrorMessage", STRING, 1, 3, NULLABLE(1)),
    FIELD("NodeId", INT32, 0, 3),
    FIELD("Host", STRING, 0, 3),
    FIELD("Port", INT32, 0, 3),
    FIELD("Coordinators", STRUCT, 4, WIRE_MAX, OF(find_coordinator_response_coordinator), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_find_coordinator_response = {
    "FindCoordinatorResponse", 10, WIRE_RESPONSE, 0, 6, 3, find_coordinator_response,
};

static const struct wire_field api_versions_request[] = {
    FIELD("ClientSoftwareName", STRING, 3, WIRE_MAX),
    FIELD("ClientSoftwareVersion", STRING, 3, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_api_versions_request = {
    "ApiVersionsRequest", 18, WIRE_REQUEST, 0, 4, 3, api_versions_request,
};

static const struct wire_field api_versions_response_api_version[] = {
    FIELD("ApiKey", INT16, 0, WIRE_MAX),
    FIELD("MinVersion", INT16, 0, WIRE_MAX),
    FIELD("MaxVersion", INT16, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field api_versions_response_supported_feature_key[] = {
    FIELD("Name", STRING, 3, WIRE_MAX),
    FIELD("MinVersion", INT16, 3, WIRE_MAX),
    FIELD("MaxVersion", INT16, 3, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field api_versions_response_finalized_feature_key[] = {
    FIELD("Name", STRING, 3, WIRE_MAX),
    FIELD("MaxVersionLevel", INT16, 3, WIRE_MAX),
    FIELD("MinVersionLevel", INT16, 3, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field api_versions_response[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ApiKeys", STRUCT, 0, WIRE_MAX, OF(api_versions_response_api_version), ARRAY),
    FIELD("ThrottleTimeMs", INT32, 1, WIRE_MAX),
    FIELD("SupportedFeatures", STRUCT, 3, WIRE_MAX, OF(api_versions_response_supported_feature_key),
          ARRAY, TAG(0, 3)),
    FIELD("FinalizedFeaturesEpoch", INT64, 3, WIRE_MAX, TAG(1, 3), DEF(-1)),
    FIELD("FinalizedFeatures", STRUCT, 3, WIRE_MAX, OF(api_versions_response_finalized_feature_key),
          ARRAY, TAG(2, 3)),
    FIELD("ZkMigrationReady", BOOL, 3, WIRE_MAX, TAG(3, 3)),
    FIELDS_END,
};
const struct wire_schema wire_api_versions_response = {
    "ApiVersionsResponse", 18, WIRE_RESPONSE, 0, 4, 3, api_versions_response,
};

static const struct wire_field describe_cluster_request[] = {
    FIELD("IncludeClusterAuthorizedOperations", BOOL, 0, WIRE_MAX),
    FIELD("EndpointType", INT8, 1, WIRE_MAX, DEF(1)),
    FIELD("IncludeFencedBrokers", BOOL, 2, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_describe_cluster_request = {
    "DescribeClusterRequest", 60, WIRE_REQUEST, 0, 2, 0, describe_cluster_request,
};

static const struct wire_field describe_cluster_response_describe_cluster_broker[] = {
    FIELD("BrokerId", INT32, 0, WIRE_MAX),
    FIELD("Host", STRING, 0, WIRE_MAX),
    FIELD("Port", INT32, 0, WIRE_MAX),
    FIELD("Rack", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("IsFenced", BOOL, 2, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field describe_cluster_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("EndpointType", INT8, 1, WIRE_MAX, DEF(1)),
    FIELD("ClusterId", STRING, 0, WIRE_MAX),
    FIELD("ControllerId", INT32, 0, WIRE_MAX, DEF(-1)),
    FIELD("Brokers", STRUCT, 0, WIRE_MAX, OF(describe_cluster_response_describe_cluster_broker),
          ARRAY),
    FIELD("ClusterAuthorizedOperations", INT32, 0, WIRE_MAX, DEF(-2147483648)),
    FIELDS_END,
};
const struct wire_schema wire_describe_cluster_response = {
    "DescribeClusterResponse", 60, WIRE_RESPONSE, 0, 2, 0, describe_cluster_response,
};
