/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the protocol table for the metadata quorum. Pure data; the order of rows is the order
 * on the wire. Columns: see struct wire_field. */
#include "wire/schema_rows.h"

static const struct wire_field describe_quorum_request_partition_data[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field describe_quorum_request_topic_data[] = {
    FIELD("TopicName", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX, OF(describe_quorum_request_partition_data), ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_quorum_request[] = {
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(describe_quorum_request_topic_data), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_describe_quorum_request = {
    "DescribeQuorumRequest", 55, WIRE_REQUEST, 0, 2, 0, describe_quorum_request,
};

static const struct wire_field describe_quorum_response_replica_state[] = {
    FIELD("ReplicaId", INT32, 0, WIRE_MAX),
    FIELD("ReplicaDirectoryId", UUID, 2, WIRE_MAX),
    FIELD("LogEndOffset", INT64, 0, WIRE_MAX),
    FIELD("LastFetchTimestamp", INT64, 1, WIRE_MAX, DEF(-1)),
    FIELD("LastCaughtUpTimestamp", INT64, 1, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
static const struct wire_field describe_quorum_response_partition_data[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 2, WIRE_MAX, NULLABLE(2)),
    FIELD("LeaderId", INT32, 0, WIRE_MAX),
    FIELD("LeaderEpoch", INT32, 0, WIRE_MAX),
    FIELD("HighWatermark", INT64, 0, WIRE_MAX),
    FIELD("CurrentVoters", STRUCT, 0, WIRE_MAX, OF(describe_quorum_response_replica_state), ARRAY),
    FIELD("Observers", STRUCT, 0, WIRE_MAX, OF(describe_quorum_response_replica_state), ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_quorum_response_topic_data[] = {
    FIELD("TopicName", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX, OF(describe_quorum_response_partition_data), ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_quorum_response_listener[] = {
    FIELD("Name", STRING, 2, WIRE_MAX),
    FIELD("Host", STRING, 2, WIRE_MAX),
    FIELD("Port", UINT16, 2, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field describe_quorum_response_node[] = {
    FIELD("NodeId", INT32, 2, WIRE_MAX),
    FIELD("Listeners", STRUCT, 2, WIRE_MAX, OF(describe_quorum_response_listener), ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_quorum_response[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 2, WIRE_MAX, NULLABLE(2)),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(describe_quorum_response_topic_data), ARRAY),
    FIELD("Nodes", STRUCT, 2, WIRE_MAX, OF(describe_quorum_response_node), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_describe_quorum_response = {
    "DescribeQuorumResponse", 55, WIRE_RESPONSE, 0, 2, 0, describe_quorum_response,
};
