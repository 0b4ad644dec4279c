/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the protocol table for transactions and groups. Pure data; the order of rows
 * is the order on the wire. Columns: see struct wire_field. */
#include "wire/schema_rows.h"

static const struct wire_field init_producer_id_request[] = {
    FIELD("TransactionalId", STRING, 0, WIRE_MAX, NULLABLE(0)),
    FIELD("TransactionTimeoutMs", INT32, 0, WIRE_MAX),
    FIELD("ProducerId", INT64, 3, WIRE_MAX, DEF(-1)),
    FIELD("ProducerEpoch", INT16, 3, WIRE_MAX, DEF(-1)),
    FIELD("Enable2Pc", BOOL, 6, WIRE_MAX),
    FIELD("KeepPreparedTxn", BOOL, 6, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_init_producer_id_request = {
    "InitProducerIdRequest", 22, WIRE_REQUEST, 0, 6, 2, init_producer_id_request,
};

static const struct wire_field init_producer_id_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ProducerId", INT64, 0, WIRE_MAX, DEF(-1)),
    FIELD("ProducerEpoch", INT16, 0, WIRE_MAX),
    FIELD("OngoingTxnProducerId", INT64, 6, WIRE_MAX, DEF(-1)),
    FIELD("OngoingTxnProducerEpoch", INT16, 6, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
const struct wire_schema wire_init_producer_id_response = {
    "InitProducerIdResponse", 22, WIRE_RESPONSE, 0, 6, 2, init_producer_id_response,
};

static const struct wire_field add_partitions_to_txn_request_add_partitions_to_txn_topic[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", INT32, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field add_partitions_to_txn_request_add_partitions_to_txn_transaction[] = {
    FIELD("TransactionalId", STRING, 4, WIRE_MAX),
    FIELD("ProducerId", INT64, 4, WIRE_MAX),
    FIELD("ProducerEpoch", INT16, 4, WIRE_MAX),
    FIELD("VerifyOnly", BOOL, 4, WIRE_MAX),
    FIELD("Topics", STRUCT, 4, WIRE_MAX,
          OF(add_partitions_to_txn_request_add_partitions_to_txn_topic), ARRAY),
    FIELDS_END,
};
static const struct wire_field add_partitions_to_txn_request[] = {
    FIELD("Transactions", STRUCT, 4, WIRE_MAX,
          OF(add_partitions_to_txn_request_add_partitions_to_txn_transaction), ARRAY),
    FIELD("V3AndBelowTransactionalId", STRING, 0, 3),
    FIELD("V3AndBelowProducerId", INT64, 0, 3),
    FIELD("V3AndBelowProducerEpoch", INT16, 0, 3),
    FIELD("V3AndBelowTopics", STRUCT, 0, 3,
          OF(add_partitions_to_txn_request_add_partitions_to_txn_topic), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_add_partitions_to_txn_request = {
    "AddPartitionsToTxnRequest", 24, WIRE_REQUEST, 0, 5, 3, add_partitions_to_txn_request,
};

static const struct wire_field
    add_partitions_to_txn_response_add_partitions_to_txn_partition_result[] = {
        FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
        FIELD("PartitionErrorCode", INT16, 0, WIRE_MAX),
        FIELDS_END,
};
static const struct wire_field add_partitions_to_txn_response_add_partitions_to_txn_topic_result[] =
    {
        FIELD("Name", STRING, 0, WIRE_MAX),
        FIELD("ResultsByPartition", STRUCT, 0, WIRE_MAX,
              OF(add_partitions_to_txn_response_add_partitions_to_txn_partition_result), ARRAY),
        FIELDS_END,
};
static const struct wire_field add_partitions_to_txn_response_add_partitions_to_txn_result[] = {
    FIELD("TransactionalId", STRING, 4, WIRE_MAX),
    FIELD("TopicResults", STRUCT, 4, WIRE_MAX,
          OF(add_partitions_to_txn_response_add_partitions_to_txn_topic_result), ARRAY),
    FIELDS_END,
};
static const struct wire_field add_partitions_to_txn_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 4, WIRE_MAX),
    FIELD("ResultsByTransaction", STRUCT, 4, WIRE_MAX,
          OF(add_partitions_to_txn_response_add_partitions_to_txn_result), ARRAY),
    FIELD("ResultsByTopicV3AndBelow", STRUCT, 0, 3,
          OF(add_partitions_to_txn_response_add_partitions_to_txn_topic_result), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_add_partitions_to_txn_response = {
    "AddPartitionsToTxnResponse", 24, WIRE_RESPONSE, 0, 5, 3, add_partitions_to_txn_response,
};

static const struct wire_field add_offsets_to_txn_request[] = {
    FIELD("TransactionalId", STRING, 0, WIRE_MAX),
    FIELD("ProducerId", INT64, 0, WIRE_MAX),
    FIELD("ProducerEpoch", INT16, 0, WIRE_MAX),
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_add_offsets_to_txn_request = {
    "AddOffsetsToTxnRequest", 25, WIRE_REQUEST, 0, 4, 3, add_offsets_to_txn_request,
};

static const struct wire_field add_offsets_to_txn_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_add_offsets_to_txn_response = {
    "AddOffsetsToTxnResponse", 25, WIRE_RESPONSE, 0, 4, 3, add_offsets_to_txn_response,
};

static const struct wire_field end_txn_request[] = {
    FIELD("TransactionalId", STRING, 0, WIRE_MAX),
    FIELD("ProducerId", INT64, 0, WIRE_MAX),
    FIELD("ProducerEpoch", INT16, 0, WIRE_MAX),
    FIELD("Committed", BOOL, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_end_txn_request = {
    "EndTxnRequest", 26, WIRE_REQUEST, 0, 5, 3, end_txn_request,
};

static const struct wire_field end_txn_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ProducerId", INT64, 5, WIRE_MAX, DEF(-1)),
    FIELD("ProducerEpoch", INT16, 5, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
const struct wire_schema wire_end_txn_response = {
    "EndTxnResponse", 26, WIRE_RESPONSE, 0, 5, 3, end_txn_response,
};

static const struct wire_field txn_offset_commit_request_txn_offset_commit_request_partition[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("CommittedOffset", INT64, 0, WIRE_MAX),
    FIELD("CommittedLeaderEpoch", INT32, 2, WIRE_MAX, DEF(-1)),
    FIELD("CommittedMetadata", STRING, 0, WIRE_MAX, NULLABLE(0)),
    FIELDS_END,
};
static const struct wire_field txn_offset_commit_request_txn_offset_commit_request_topic[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX,
          OF(txn_offset_commit_request_txn_offset_commit_request_partition), ARRAY),
    FIELDS_END,
};
static const struct wire_field txn_offset_commit_request[] = {
    FIELD("TransactionalId", STRING, 0, WIRE_MAX),
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("ProducerId", INT64, 0, WIRE_MAX),
    FIELD("ProducerEpoch", INT16, 0, WIRE_MAX),
    FIELD("GenerationId", INT32, 3, WIRE_MAX, DEF(-1)),
    FIELD("MemberId", STRING, 3, WIRE_MAX),
    FIELD("GroupInstanceId", STRING, 3, WIRE_MAX, NULLABLE(3), DEF_NULL),
    FIELD("Topics", STRUCT, 0, WIRE_MAX,
          OF(txn_offset_commit_request_txn_offset_commit_request_topic), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_txn_offset_commit_request = {
    "TxnOffsetCommitRequest", 28, WIRE_REQUEST, 0, 5, 3, txn_offset_commit_request,
};

static const struct wire_field txn_offset_commit_response_txn_offset_commit_response_partition[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field txn_offset_commit_response_txn_offset_commit_response_topic[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX,
          OF(txn_offset_commit_response_txn_offset_commit_response_partition), ARRAY),
    FIELDS_END,
};
static const struct wire_field txn_offset_commit_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX,
          OF(txn_offset_commit_response_txn_offset_commit_response_topic), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_txn_offset_commit_response = {
    "TxnOffsetCommitResponse", 28, WIRE_RESPONSE, 0, 5, 3, txn_offset_commit_response,
};

static const struct wire_field offset_commit_request_offset_commit_request_partition[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("CommittedOffset", INT64, 0, WIRE_MAX),
    FIELD("CommittedLeaderEpoch", INT32, 6, WIRE_MAX, DEF(-1)),
    FIELD("CommittedMetadata", STRING, 0, WIRE_MAX, NULLABLE(0)),
    FIELDS_END,
};
static const struct wire_field offset_commit_request_offset_commit_request_topic[] = {
    FIELD("Name", STRING, 0, 9),
    FIELD("TopicId", UUID, 10, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX,
          OF(offset_commit_request_offset_commit_request_partition), ARRAY),
    FIELDS_END,
};
static const struct wire_field offset_commit_request[] = {
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("GenerationIdOrMemberEpoch", INT32, 1, WIRE_MAX, DEF(-1)),
    FIELD("MemberId", STRING, 1, WIRE_MAX),
    FIELD("GroupInstanceId", STRING, 7, WIRE_MAX, NULLABLE(7), DEF_NULL),
    FIELD("RetentionTimeMs", INT64, 2, 4, DEF(-1)),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(offset_commit_request_offset_commit_request_topic),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_offset_commit_request = {
    "OffsetCommitRequest", 8, WIRE_REQUEST, 2, 10, 8, offset_commit_request,
};

static const struct wire_field offset_commit_response_offset_commit_response_partition[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field offset_commit_response_offset_commit_response_topic[] = {
    FIELD("Name", STRING, 0, 9),
    FIELD("TopicId", UUID, 10, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX,
          OF(offset_commit_response_offset_commit_response_partition), ARRAY),
    FIELDS_END,
};
static const struct wire_field offset_commit_response[] = {
    FIELD("ThrottleTimeMs", INT32, 3, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(offset_commit_response_offset_commit_response_topic),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_offset_commit_response = {
    "OffsetCommitResponse", 8, WIRE_RESPONSE, 2, 10, 8, offset_commit_response,
};

static const struct wire_field offset_fetch_request_offset_fetch_request_topic[] = {
    FIELD("Name", STRING, 0, 7),
    FIELD("PartitionIndexes", INT32, 0, 7, ARRAY),
    FIELDS_END,
};
static const struct wire_field offset_fetch_request_offset_fetch_request_topics[] = {
    FIELD("Name", STRING, 8, 9),
    FIELD("TopicId", UUID, 10, WIRE_MAX),
    FIELD("PartitionIndexes", INT32, 8, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field offset_fetch_request_offset_fetch_request_group[] = {
    FIELD("GroupId", STRING, 8, WIRE_MAX),
    FIELD("MemberId", STRING, 9, WIRE_MAX, NULLABLE(9), DEF_NULL),
    FIELD("MemberEpoch", INT32, 9, WIRE_MAX, DEF(-1)),
    FIELD("Topics", STRUCT, 8, WIRE_MAX, OF(offset_fetch_request_offset_fetch_request_topics),
          ARRAY, NULLABLE(8)),
    FIELDS_END,
};
static const struct wire_field offset_fetch_request[] = {
    FIELD("GroupId", STRING, 0, 7),
    FIELD("Topics", STRUCT, 0, 7, OF(offset_fetch_request_offset_fetch_request_topic), ARRAY,
          NULLABLE(2)),
    FIELD("Groups", STRUCT, 8, WIRE_MAX, OF(offset_fetch_request_offset_fetch_request_group),
          ARRAY),
    FIELD("RequireStable", BOOL, 7, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_offset_fetch_request = {
    "OffsetFetchRequest", 9, WIRE_REQUEST, 1, 10, 6, offset_fetch_request,
};

static const struct wire_field offset_fetch_response_offset_fetch_response_partition[] = {
    FIELD("PartitionIndex", INT32, 0, 7),
    FIELD("CommittedOffset", INT64, 0, 7),
    FIELD("CommittedLeaderEpoch", INT32, 5, 7, DEF(-1)),
    FIELD("Metadata", STRING, 0, 7, NULLABLE(0)),
    FIELD("ErrorCode", INT16, 0, 7),
    FIELDS_END,
};
static const struct wire_field offset_fetch_response_offset_fetch_response_topic[] = {
    FIELD("Name", STRING, 0, 7),
    FIELD("Partitions", STRUCT, 0, 7, OF(offset_fetch_response_offset_fetch_response_partition),
          ARRAY),
    FIELDS_END,
};
static const struct wire_field offset_fetch_response_offset_fetch_response_partitions[] = {
    FIELD("PartitionIndex", INT32, 8, WIRE_MAX),
    FIELD("CommittedOffset", INT64, 8, WIRE_MAX),
    FIELD("CommittedLeaderEpoch", INT32, 8, WIRE_MAX, DEF(-1)),
    FIELD("Metadata", STRING, 8, WIRE_MAX, NULLABLE(8)),
    FIELD("ErrorCode", INT16, 8, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field offset_fetch_response_offset_fetch_response_topics[] = {
    FIELD("Name", STRING, 8, 9),
    FIELD("TopicId", UUID, 10, WIRE_MAX),
    FIELD("Partitions", STRUCT, 8, WIRE_MAX,
          OF(offset_fetch_response_offset_fetch_response_partitions), ARRAY),
    FIELDS_END,
};
static const struct wire_field offset_fetch_response_offset_fetch_response_group[] = {
    FIELD("GroupId", STRING, 8, WIRE_MAX),
    FIELD("Topics", STRUCT, 8, WIRE_MAX, OF(offset_fetch_response_offset_fetch_response_topics),
          ARRAY),
    FIELD("ErrorCode", INT16, 8, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field offset_fetch_response[] = {
    FIELD("ThrottleTimeMs", INT32, 3, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, 7, OF(offset_fetch_response_offset_fetch_response_topic), ARRAY),
    FIELD("ErrorCode", INT16, 2, 7),
    FIELD("Groups", STRUCT, 8, WIRE_MAX, OF(offset_fetch_response_offset_fetch_response_group),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_offset_fetch_response = {
    "OffsetFetchResponse", 9, WIRE_RESPONSE, 1, 10, 6, offset_fetch_response,
};

static const struct wire_field list_transactions_request[] = {
    FIELD("StateFilters", STRING, 0, WIRE_MAX, ARRAY),
    FIELD("ProducerIdFilters", INT64, 0, WIRE_MAX, ARRAY),
    FIELD("DurationFilter", INT64, 1, WIRE_MAX, DEF(-1)),
    FIELD("TransactionalIdPattern", STRING, 2, WIRE_MAX, NULLABLE(2), DEF_NULL),
    FIELDS_END,
};
const struct wire_schema wire_list_transactions_request = {
    "ListTransactionsRequest", 66, WIRE_REQUEST, 0, 2, 0, list_transactions_request,
};

static const struct wire_field list_transactions_response_transaction_state[] = {
    FIELD("TransactionalId", STRING, 0, WIRE_MAX),
    FIELD("ProducerId", INT64, 0, WIRE_MAX),
    FIELD("TransactionState", STRING, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field list_transactions_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("UnknownStateFilters", STRING, 0, WIRE_MAX, ARRAY),
    FIELD("TransactionStates", STRUCT, 0, WIRE_MAX,
          OF(list_transactions_response_transaction_state), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_list_transactions_response = {
    "ListTransactionsResponse", 66, WIRE_RESPONSE, 0, 2, 0, list_transactions_response,
};

static const struct wire_field describe_transactions_request[] = {
    FIELD("TransactionalIds", STRING, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_describe_transactions_request = {
    "DescribeTransactionsRequest", 65, WIRE_REQUEST, 0, 0, 0, describe_transactions_request,
};

static const struct wire_field describe_transactions_response_topic_data[] = {
    FIELD("Topic", STRING, 0, WIRE_MAX),
    FIELD("Partitions", INT32, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_transactions_response_transaction_state[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("TransactionalId", STRING, 0, WIRE_MAX),
    FIELD("TransactionState", STRING, 0, WIRE_MAX),
    FIELD("TransactionTimeoutMs", INT32, 0, WIRE_MAX),
    FIELD("TransactionStartTimeMs", INT64, 0, WIRE_MAX),
    FIELD("ProducerId", INT64, 0, WIRE_MAX),
    FIELD("ProducerEpoch", INT16, 0, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(describe_transactions_response_topic_data), ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_transactions_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("TransactionStates", STRUCT, 0, WIRE_MAX,
          OF(describe_transactions_response_transaction_state), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_describe_transactions_response = {
    "DescribeTransactionsResponse", 65, WIRE_RESPONSE, 0, 0, 0, describe_transactions_response,
};

static const struct wire_field describe_producers_request_topic_request[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("PartitionIndexes", INT32, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_producers_request[] = {
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(describe_producers_request_topic_request), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_describe_producers_request = {
    "DescribeProducersRequest", 61, WIRE_REQUEST, 0, 0, 0, describe_producers_request,
};

static const struct wire_field describe_producers_response_producer_state[] = {
    FIELD("ProducerId", INT64, 0, WIRE_MAX),
    FIELD("ProducerEpoch", INT32, 0, WIRE_MAX),
    FIELD("LastSequence", INT32, 0, WIRE_MAX, DEF(-1)),
    FIELD("LastTimestamp", INT64, 0, WIRE_MAX, DEF(-1)),
    FIELD("CoordinatorEpoch", INT32, 0, WIRE_MAX),
    FIELD("CurrentTxnStartOffset", INT64, 0, WIRE_MAX, DEF(-1)),
    FIELDS_END,
};
static const struct wire_field describe_producers_response_partition_response[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 0, WIRE_MAX, NULLABLE(0), DEF_NULL),
    FIELD("ActiveProducers", STRUCT, 0, WIRE_MAX, OF(describe_producers_response_producer_state),
          ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_producers_response_topic_response[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX, OF(describe_producers_response_partition_response),
          ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_producers_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(describe_producers_response_topic_response), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_describe_producers_response = {
    "DescribeProducersResponse", 61, WIRE_RESPONSE, 0, 0, 0, describe_producers_response,
};

static const struct wire_field describe_groups_request[] = {
    FIELD("Groups", STRING, 0, WIRE_MAX, ARRAY),
    FIELD("IncludeAuthorizedOperations", BOOL, 3, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_describe_groups_request = {
    "DescribeGroupsRequest", 15, WIRE_REQUEST, 0, 6, 5, describe_groups_request,
};

static const struct wire_field describe_groups_response_described_group_member[] = {
    FIELD("MemberId", STRING, 0, WIRE_MAX),
    FIELD("GroupInstanceId", STRING, 4, WIRE_MAX, NULLABLE(4), DEF_NULL),
    FIELD("ClientId", STRING, 0, WIRE_MAX),
    FIELD("ClientHost", STRING, 0, WIRE_MAX),
    FIELD("MemberMetadata", BYTES, 0, WIRE_MAX),
    FIELD("MemberAssignment", BYTES, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field describe_groups_response_described_group[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 6, WIRE_MAX, NULLABLE(6), DEF_NULL),
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("GroupState", STRING, 0, WIRE_MAX),
    FIELD("ProtocolType", STRING, 0, WIRE_MAX),
    FIELD("ProtocolData", STRING, 0, WIRE_MAX),
    FIELD("Members", STRUCT, 0, WIRE_MAX, OF(describe_groups_response_described_group_member),
          ARRAY),
    FIELD("AuthorizedOperations", INT32, 3, WIRE_MAX, DEF(-2147483648)),
    FIELDS_END,
};
static const struct wire_field describe_groups_response[] = {
    FIELD("ThrottleTimeMs", INT32, 1, WIRE_MAX),
    FIELD("Groups", STRUCT, 0, WIRE_MAX, OF(describe_groups_response_described_group), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_describe_groups_response = {
    "DescribeGroupsResponse", 15, WIRE_RESPONSE, 0, 6, 5, describe_groups_response,
};

static const struct wire_field list_groups_request[] = {
    FIELD("StatesFilter", STRING, 4, WIRE_MAX, ARRAY),
    FIELD("TypesFilter", STRING, 5, WIRE_MAX, ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_list_groups_request = {
    "ListGroupsRequest", 16, WIRE_REQUEST, 0, 5, 3, list_groups_request,
};

static const struct wire_field list_groups_response_listed_group[] = {
    FIELD("GroupId", STRING, 0, WIRE_MAX),
    FIELD("ProtocolType", STRING, 0, WIRE_MAX),
    FIELD("GroupState", STRING, 4, WIRE_MAX),
    FIELD("GroupType", STRING, 5, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field list_groups_response[] = {
    FIELD("ThrottleTimeMs", INT32, 1, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("Groups", STRUCT, 0, WIRE_MAX, OF(list_groups_response_listed_group), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_list_groups_response = {
    "ListGroupsResponse", 16, WIRE_RESPONSE, 0, 5, 3, list_groups_response,
};
