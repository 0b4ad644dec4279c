/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the protocol table for groups of the consumer protocol. Pure data; the order of rows
 * is the order on the wire. Columns: see struct wire_field. */
#include "wire/schema_rows.h"

static const struct wire_field consumer_group_heartbeat_topic_partitions[] = {
    FIELD("TopicId", UUID, 0, WIRE_MAX),
    FIELD("Partitions", INT32, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field consumer_group_heartbeat_request[] = {
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("MemberId", STRING, 0, WIRE_MAX),
    FIELD("MemberEpoch", INT32, 0, WIRE_MAX),
    FIELD("InstanceId", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("RackId", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("RebalanceTimeoutMs", INT32, 0, WIRE_MAX, DEF(-1)),
    FIELD("SubscribedTopicNames", STRING, 0, WIRE_MAX, ARRAY, NULLABLE(0), DEF_NULL),
    FIELD("SubscribedTopicRegex", STRING, 1, WIRE_MAX, NULLABLE(1), DEF_NULL),
    FIELD("ServerAssignor", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("TopicPartitions", STRUCT, 0, WIRE_MAX, OF(consumer_group_heartbeat_topic_partitions),
          ARRAY, NULLABLE(0), DEF_NULL),
    FIELDS_END,
};
const struct wire_schema wire_consumer_group_heartbeat_request = {
    "ConsumerGroupHeartbeatRequest", 68, WIRE_REQUEST, 0, 1, 0, consumer_group_heartbeat_request,
};

static const struct wire_field consumer_group_heartbeat_response_assignment[] = {
    FIELD("TopicPartitions", STRUCT, 0, WIRE_MAX, OF(consumer_group_heartbeat_topic_partitions),
          ARRAY),
    FIELDS_END,
};
static const struct wire_field consumer_group_heartbeat_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("MemberId", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("MemberEpoch", INT32, 0, WIRE_MAX),
    FIELD("HeartbeatIntervalMs", INT32, 0, WIRE_MAX),
    FIELD("Assignment", STRUCT, 0, WIRE_MAX, OF(consumer_group_heartbeat_response_assignment),
          NULLABLE(0), DEF_NULL),
    FIELDS_END,
};
const struct wire_schema wire_consumer_group_heartbeat_response = {
    "ConsumerGroupHeartbeatResponse", 68, WIRE_RESPONSE, 0, 1, 0, consumer_group_heartbeat_response,
};

static const struct wire_field consumer_group_describe_request[] = {
    FIELD("GroupIds", STRING, 0, WIRE_MAX, ARRAY),
    FIELD("IncludeAuthorizedOperations", BOOL, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_consumer_group_describe_request = {
    "ConsumerGroupDescribeRequest", 69, WIRE_REQUEST, 0, 1, 0, consumer_group_describe_request,
};

static const struct wire_field consumer_group_describe_response_topic_partitions[] = {
    FIELD("TopicId", UUID, 0, WIRE_MAX),
    FIELD("TopicName", STRING, 0, WIRE_MAX),
    FIELD("Partitions", INT32, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field consumer_group_describe_response_assignment[] = {
    FIELD("TopicPartitions", STRUCT, 0, WIRE_MAX,
          OF(consumer_group_describe_response_topic_partitions), ARRAY),
    FIELDS_END,
};
static const struct wire_field consumer_group_describe_response_member[] = {
    FIELD("MemberId", STRING, 0, WIRE_MAX),
    FIELD("InstanceId", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("RackId", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("MemberEpoch", INT32, 0, WIRE_MAX),
    FIELD("ClientId", STRING, 0, WIRE_MAX),
    FIELD("ClientHost", STRING, 0, WIRE_MAX),
    FIELD("SubscribedTopicNames", STRING, 0, WIRE_MAX, ARRAY),
    FIELD("SubscribedTopicRegex", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("Assignment", STRUCT, 0, WIRE_MAX, OF(consumer_group_describe_response_assignment)),
    FIELD("TargetAssignment", STRUCT, 0, WIRE_MAX, OF(consumer_group_describe_response_assignment)),
    FIELD("MemberType", INT8, 1, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
static const struct wire_field consumer_group_describe_response_described_group[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("GroupState", STRING, 0, WIRE_MAX),
    FIELD("GroupEpoch", INT32, 0, WIRE_MAX),
    FIELD("AssignmentEpoch", INT32, 0, WIRE_MAX),
    FIELD("AssignorName", STRING, 0, WIRE_MAX),
    FIELD("Members", STRUCT, 0, WIRE_MAX, OF(consumer_group_describe_response_member), ARRAY),
    FIELD("AuthorizedOperations", INT32, 0, WIRE_MAX, DEF(-2147483648)),
    FIELDS_END,
};
static const struct wire_field consumer_group_describe_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Groups", STRUCT, 0, WIRE_MAX, OF(consumer_group_describe_response_described_group),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_consumer_group_describe_response = {
    "ConsumerGroupDescribeResponse", 69, WIRE_RESPONSE, 0, 1, 0, consumer_group_describe_response,
};
