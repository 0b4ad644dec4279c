/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the protocol table for groups: membership, and what deletes them. Pure data; the
 * order of rows is the order on the wire. Columns: see struct wire_field. */
#include "wire/schema_rows.h"

static const struct wire_field join_group_request_join_group_request_protocol[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Metadata", BYTES, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field join_group_request[] = {
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("SessionTimeoutMs", INT32, 0, WIRE_MAX),
    FIELD("RebalanceTimeoutMs", INT32, 1, WIRE_MAX, DEF(-1)),
    FIELD("MemberId", STRING, 0, WIRE_MAX),
    FIELD("GroupInstanceId", STRING, 5, WIRE_MAX, NULLABLE(5), DEF_NULL),
    FIELD("ProtocolType", STRING, 0, WIRE_MAX),
    FIELD("Protocols", STRUCT, 0, WIRE_MAX, OF(join_group_request_join_group_request_protocol),
          ARRAY),
    FIELD("Reason", STRING, 8, WIRE_MAX, NULLABLE(8), DEF_NULL),
    FIELDS_END,
};
const struct wire_schema wire_join_group_request = {
    "JoinGroupRequest", 11, WIRE_REQUEST, 0, 9, 6, join_group_request,
};

static const struct wire_field join_group_response_join_group_response_member[] = {
    FIELD("MemberId", STRING, 0, WIRE_MAX),
    FIELD("GroupInstanceId", STRING, 5, WIRE_MAX, NULLABLE(5), DEF_NULL),
    FIELD("Metadata", BYTES, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field join_group_response[] = {
    FIELD("ThrottleTimeMs", INT32, 2, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("GenerationId", INT32, 0, WIRE_MAX, DEF(-1)),
    FIELD("ProtocolType", STRING, 7, WIRE_MAX, NULLABLE(7), DEF_NULL),
    FIELD("ProtocolName", STRING, 0, WIRE_MAX, NULLABLE(7)),
    FIELD("Leader", STRING, 0, WIRE_MAX),
    FIELD("SkipAssignment", BOOL, 9, WIRE_MAX),
    FIELD("MemberId", STRING, 0, WIRE_MAX),
    FIELD("Members", STRUCT, 0, WIRE_MAX, OF(join_group_response_join_group_response_member),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_join_group_response = {
    "JoinGroupResponse", 11, WIRE_RESPONSE, 0, 9, 6, join_group_response,
};

static const struct wire_field sync_group_request_sync_group_request_assignment[] = {
    FIELD("MemberId", STRING, 0, WIRE_MAX),
    FIELD("Assignment", BYTES, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field sync_group_request[] = {
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("GenerationId", INT32, 0, WIRE_MAX),
    FIELD("MemberId", STRING, 0, WIRE_MAX),
    FIELD("GroupInstanceId", STRING, 3, WIRE_MAX, NULLABLE(3), DEF_NULL),
    FIELD("ProtocolType", STRING, 5, WIRE_MAX, NULLABLE(5), DEF_NULL),
    FIELD("ProtocolName", STRING, 5, WIRE_MAX, NULLABLE(5), DEF_NULL),
    FIELD("Assignments", STRUCT, 0, WIRE_MAX, OF(sync_group_request_sync_group_request_assignment),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_sync_group_request = {
    "SyncGroupRequest", 14, WIRE_REQUEST, 0, 5, 4, sync_group_request,
};

static const struct wire_field sync_group_response[] = {
    FIELD("ThrottleTimeMs", INT32, 1, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ProtocolType", STRING, 5, WIRE_MAX, NULLABLE(5), DEF_NULL),
    FIELD("ProtocolName", STRING, 5, WIRE_MAX, NULLABLE(5), DEF_NULL),
    FIELD("Assignment", BYTES, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_sync_group_response = {
    "SyncGroupResponse", 14, WIRE_RESPONSE, 0, 5, 4, sync_group_response,
};

static const struct wire_field heartbeat_request[] = {
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("GenerationId", INT32, 0, WIRE_MAX),
    FIELD("MemberId", STRING, 0, WIRE_MAX),
    FIELD("GroupInstanceId", STRING, 3, WIRE_MAX, NULLABLE(3), DEF_NULL),
    FIELDS_END,
};
const struct wire_schema wire_heartbeat_request = {
    "HeartbeatRequest", 12, WIRE_REQUEST, 0, 4, 4, heartbeat_request,
};

static const struct wire_field heartbeat_response[] = {
    FIELD("ThrottleTimeMs", INT32, 1, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_heartbeat_response = {
    "HeartbeatResponse", 12, WIRE_RESPONSE, 0, 4, 4, heartbeat_response,
};

static const struct wire_field leave_group_request_member_identity[] = {
    FIELD("MemberId", STRING, 3, WIRE_MAX),
    FIELD("GroupInstanceId", STRING, 3, WIRE_MAX, NULLABLE(3), DEF_NULL),
    FIELD("Reason", STRING, 5, WIRE_MAX, NULLABLE(5), DEF_NULL),
    FIELDS_END,
};
static const struct wire_field leave_group_request[] = {
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("MemberId", STRING, 0, 2),
    FIELD("Members", STRUCT, 3, WIRE_MAX, OF(leave_group_request_member_identity), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_leave_group_request = {
    "LeaveGroupRequest", 13, WIRE_REQUEST, 0, 5, 4, leave_group_request,
};

static const struct wire_field leave_group_response_member_response[] = {
    FIELD("MemberId", STRING, 3, WIRE_MAX),
    FIELD("GroupInstanceId", STRING, 3, WIRE_MAX, NULLABLE(3)),
    FIELD("ErrorCode", INT16, 3, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field leave_group_response[] = {
    FIELD("ThrottleTimeMs", INT32, 1, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("Members", STRUCT, 3, WIRE_MAX, OF(leave_group_response_member_response), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_leave_group_response = {
    "LeaveGroupResponse", 13, WIRE_RESPONSE, 0, 5, 4, leave_group_response,
};

static const struct wire_field delete_groups_request[] = {
    FIELD("GroupsNames", STRING, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_delete_groups_request = {
    "DeleteGroupsRequest", 42, WIRE_REQUEST, 0, 2, 2, delete_groups_request,
};

static const struct wire_field delete_groups_response_deletable_group_result[] = {
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field delete_groups_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Results", STRUCT, 0, WIRE_MAX, OF(delete_groups_response_deletable_group_result), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_delete_groups_response = {
    "DeleteGroupsResponse", 42, WIRE_RESPONSE, 0, 2, 2, delete_groups_response,
};

static const struct wire_field offset_delete_request_offset_delete_request_partition[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field offset_delete_request_offset_delete_request_topic[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX,
          OF(offset_delete_request_offset_delete_request_partition), ARRAY),
    FIELDS_END,
};
static const struct wire_field offset_delete_request[] = {
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(offset_delete_request_offset_delete_request_topic),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_offset_delete_request = {
    "OffsetDeleteRequest", 47, WIRE_REQUEST, 0, 0, WIRE_MAX, offset_delete_request,
};

static const struct wire_field offset_delete_response_offset_delete_response_partition[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field offset_delete_response_offset_delete_response_topic[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX,
          OF(offset_delete_response_offset_delete_response_partition), ARRAY),
    FIELDS_END,
};
static const struct wire_field offset_delete_response[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(offset_delete_response_offset_delete_response_topic),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_offset_delete_response = {
    "OffsetDeleteResponse", 47, WIRE_RESPONSE, 0, 0, WIRE_MAX, offset_delete_response,
};
