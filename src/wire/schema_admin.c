/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the protocol table for topics and configuration, and the records of internal topics.
 * Pure data; the order of rows is the order on the wire. Columns: see struct wire_field. */
#include "wire/schema_rows.h"

static const struct wire_field create_topics_request_creatable_replica_assignment[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("BrokerIds", INT32, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field create_topics_request_creatable_topic_config[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Value", STRING, 0, WIRE_MAX, NULLABLE(0)),
    FIELDS_END,
};
static const struct wire_field create_topics_request_creatable_topic[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("NumPartitions", INT32, 0, WIRE_MAX),
    FIELD("ReplicationFactor", INT16, 0, WIRE_MAX),
    FIELD("Assignments", STRUCT, 0, WIRE_MAX,
          OF(create_topics_request_creatable_replica_assignment), ARRAY),
    FIELD("Configs", STRUCT, 0, WIRE_MAX, OF(create_topics_request_creatable_topic_config), ARRAY),
    FIELDS_END,
};
static const struct wire_field create_topics_request[] = {
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(create_topics_request_creatable_topic), ARRAY),
    FIELD("timeoutMs", INT32, 0, WIRE_MAX, DEF(60000)),
    FIELD("validateOnly", BOOL, 1, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_create_topics_request = {
    "CreateTopicsRequest", 19, WIRE_REQUEST, 2, 7, 5, create_topics_request,
};

static const struct wire_field create_topics_response_creatable_topic_configs[] = {
    FIELD("Name", STRING, 5, WIRE_MAX),      FIELD("Value", STRING, 5, WIRE_MAX, NULLABLE(5)),
    FIELD("ReadOnly", BOOL, 5, WIRE_MAX),    FIELD("ConfigSource", INT8, 5, WIRE_MAX, DEF(-1)),
    FIELD("IsSensitive", BOOL, 5, WIRE_MAX), FIELDS_END,
};
static const struct wire_field create_topics_response_creatable_topic_result[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("TopicId", UUID, 7, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 1, WIRE_MAX, NULLABLE(0)),
    FIELD("TopicConfigErrorCode", INT16, 5, WIRE_MAX, TAG(0, 5)),
    FIELD("NumPartitions", INT32, 5, WIRE_MAX, DEF(-1)),
    FIELD("ReplicationFactor", INT16, 5, WIRE_MAX, DEF(-1)),
    FIELD("Configs", STRUCT, 5, WIRE_MAX, OF(create_topics_response_creatable_topic_configs), ARRAY,
          NULLABLE(5)),
    FIELDS_END,
};
static const struct wire_field create_topics_response[] = {
    FIELD("ThrottleTimeMs", INT32, 2, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(create_topics_response_creatable_topic_result), ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_create_topics_response = {
    "CreateTopicsResponse", 19, WIRE_RESPONSE, 2, 7, 5, create_topics_response,
};

static const struct wire_field delete_topics_request_delete_topic_state[] = {
    FIELD("Name", STRING, 6, WIRE_MAX, NULLABLE(6), DEF_NULL),
    FIELD("TopicId", UUID, 6, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field delete_topics_request[] = {
    FIELD("Topics", STRUCT, 6, WIRE_MAX, OF(delete_topics_request_delete_topic_state), ARRAY),
    FIELD("TopicNames", STRING, 0, 5, ARRAY),
    FIELD("TimeoutMs", INT32, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_delete_topics_request = {
    "DeleteTopicsRequest", 20, WIRE_REQUEST, 1, 6, 4, delete_topics_request,
};

static const struct wire_field delete_topics_response_deletable_topic_result[] = {
    FIELD("Name", STRING, 0, WIRE_MAX, NULLABLE(6)),
    FIELD("TopicId", UUID, 6, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 5, WIRE_MAX, NULLABLE(5), DEF_NULL),
    FIELDS_END,
};
static const struct wire_field delete_topics_response[] = {
    FIELD("ThrottleTimeMs", INT32, 1, WIRE_MAX),
    FIELD("Responses", STRUCT, 0, WIRE_MAX, OF(delete_topics_response_deletable_topic_result),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_delete_topics_response = {
    "DeleteTopicsResponse", 20, WIRE_RESPONSE, 1, 6, 4, delete_topics_response,
};

static const struct wire_field delete_records_request_delete_records_partition[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("Offset", INT64, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field delete_records_request_delete_records_topic[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX, OF(delete_records_request_delete_records_partition),
          ARRAY),
    FIELDS_END,
};
static const struct wire_field delete_records_request[] = {
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(delete_records_request_delete_records_topic), ARRAY),
    FIELD("TimeoutMs", INT32, 0, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_delete_records_request = {
    "DeleteRecordsRequest", 21, WIRE_REQUEST, 0, 2, 2, delete_records_request,
};

static const struct wire_field delete_records_response_delete_records_partition_result[] = {
    FIELD("PartitionIndex", INT32, 0, WIRE_MAX),
    FIELD("LowWatermark", INT64, 0, WIRE_MAX),
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field delete_records_response_delete_records_topic_result[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Partitions", STRUCT, 0, WIRE_MAX,
          OF(delete_records_response_delete_records_partition_result), ARRAY),
    FIELDS_END,
};
static const struct wire_field delete_records_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Topics", STRUCT, 0, WIRE_MAX, OF(delete_records_response_delete_records_topic_result),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_delete_records_response = {
    "DeleteRecordsResponse", 21, WIRE_RESPONSE, 0, 2, 2, delete_records_response,
};

static const struct wire_field describe_configs_request_describe_configs_resource[] = {
    FIELD("ResourceType", INT8, 0, WIRE_MAX),
    FIELD("ResourceName", STRING, 0, WIRE_MAX),
    FIELD("ConfigurationKeys", STRING, 0, WIRE_MAX, ARRAY, NULLABLE(0)),
    FIELDS_END,
};
static const struct wire_field describe_configs_request[] = {
    FIELD("Resources", STRUCT, 0, WIRE_MAX, OF(describe_configs_request_describe_configs_resource),
          ARRAY),
    FIELD("IncludeSynonyms", BOOL, 1, WIRE_MAX),
    FIELD("IncludeDocumentation", BOOL, 3, WIRE_MAX),
    FIELDS_END,
};
const struct wire_schema wire_describe_configs_request = {
    "DescribeConfigsRequest", 32, WIRE_REQUEST, 1, 4, 4, describe_configs_request,
};

static const struct wire_field describe_configs_response_describe_configs_synonym[] = {
    FIELD("Name", STRING, 1, WIRE_MAX),
    FIELD("Value", STRING, 1, WIRE_MAX, NULLABLE(0)),
    FIELD("Source", INT8, 1, WIRE_MAX),
    FIELDS_END,
};
static const struct wire_field describe_configs_response_describe_configs_resource_result[] = {
    FIELD("Name", STRING, 0, WIRE_MAX),
    FIELD("Value", STRING, 0, WIRE_MAX, NULLABLE(0)),
    FIELD("ReadOnly", BOOL, 0, WIRE_MAX),
    FIELD("ConfigSource", INT8, 1, WIRE_MAX, DEF(-1)),
    FIELD("IsSensitive", BOOL, 0, WIRE_MAX),
    FIELD("Synonyms", STRUCT, 1, WIRE_MAX, OF(describe_configs_response_describe_configs_synonym),
          ARRAY),
    FIELD("ConfigType", INT8, 3, WIRE_MAX),
    FIELD("Documentation", STRING, 3, WIRE_MAX, NULLABLE(0)),
    FIELDS_END,
};
static const struct wire_field describe_configs_response_describe_configs_result[] = {
    FIELD("ErrorCode", INT16, 0, WIRE_MAX),
    FIELD("ErrorMessage", STRING, 0, WIRE_MAX, NULLABLE(0)),
    FIELD("ResourceType", INT8, 0, WIRE_MAX),
    FIELD("ResourceName", STRING, 0, WIRE_MAX),
    FIELD("Configs", STRUCT, 0, WIRE_MAX,
          OF(describe_configs_response_describe_configs_resource_result), ARRAY),
    FIELDS_END,
};
static const struct wire_field describe_configs_response[] = {
    FIELD("ThrottleTimeMs", INT32, 0, WIRE_MAX),
    FIELD("Results", STRUCT, 0, WIRE_MAX, OF(describe_configs_response_describe_configs_result),
          ARRAY),
    FIELDS_END,
};
const struct wire_schema wire_describe_configs_response = {
    "DescribeConfigsResponse", 32, WIRE_RESPONSE, 1, 4, 4, describe_configs_response,
};

static const struct wire_field offset_commit_key[] = {
    FIELD("group", STRING, 0, 0),
    FIELD("topic", STRING, 0, 0),
    FIELD("partition", INT32, 0, 0),
    FIELDS_END,
};
const struct wire_schema wire_offset_commit_key = {
    "OffsetCommitKey", 1, WIRE_DATA, 0, 0, WIRE_MAX, offset_commit_key,
};

static const struct wire_field offset_commit_value[] = {
    FIELD("offset", INT64, 0, WIRE_MAX),
    FIELD("leaderEpoch", INT32, 3, WIRE_MAX, DEF(-1)),
    FIELD("metadata", STRING, 0, WIRE_MAX),
    FIELD("commitTimestamp", INT64, 0, WIRE_MAX),
    FIELD("expireTimestamp", INT64, 1, 1, DEF(-1)),
    FIELD("topicId", UUID, 4, WIRE_MAX, TAG(0, 4)),
    FIELDS_END,
};
const struct wire_schema wire_offset_commit_value = {
    "OffsetCommitValue", 1, WIRE_DATA, 0, 4, 4, offset_commit_value,
};

static const struct wire_field transaction_log_key[] = {
    FIELD("TransactionalId", STRING, 0, 0),
    FIELDS_END,
};
const struct wire_schema wire_transaction_log_key = {
    "TransactionLogKey", 0, WIRE_DATA, 0, 0, WIRE_MAX, transaction_log_key,
};

static const struct wire_field transaction_log_value_partitions_schema[] = {
    FIELD("Topic", STRING, 0, WIRE_MAX),
    FIELD("PartitionIds", INT32, 0, WIRE_MAX, ARRAY),
    FIELDS_END,
};
static const struct wire_field transaction_log_value[] = {
    FIELD("ProducerId", INT64, 0, WIRE_MAX),
    FIELD("PreviousProducerId", INT64, 1, WIRE_MAX, TAG(0, 1), DEF(-1)),
    FIELD("NextProducerId", INT64, 1, WIRE_MAX, TAG(1, 1), DEF(-1)),
    FIELD("ProducerEpoch", INT16, 0, WIRE_MAX),
    FIELD("NextProducerEpoch", INT16, 1, WIRE_MAX, TAG(3, 1), DEF(-1)),
    FIELD("TransactionTimeoutMs", INT32, 0, WIRE_MAX),
    FIELD("TransactionStatus", INT8, 0, WIRE_MAX),
    FIELD("TransactionPartitions", STRUCT, 0, WIRE_MAX, OF(transaction_log_value_partitions_schema),
          ARRAY, NULLABLE(0)),
    FIELD("TransactionLastUpdateTimestampMs", INT64, 0, WIRE_MAX),
    FIELD("TransactionStartTimestampMs", INT64, 0, WIRE_MAX),
    FIELD("ClientTransactionVersion", INT16, 1, WIRE_MAX, TAG(2, 1)),
    FIELDS_END,
};
const struct wire_schema wire_transaction_log_value = {
    "TransactionLogValue", 0, WIRE_DATA, 0, 1, 1, transaction_log_value,
};
