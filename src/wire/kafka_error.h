/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka's error codes. */
#pragma once
#include <stdbool.h>

enum kafka_code {
    KAFKA_UNKNOWN_SERVER_ERROR = -1,
    KAFKA_NONE = 0,
    KAFKA_OFFSET_OUT_OF_RANGE = 1,
    KAFKA_CORRUPT_MESSAGE = 2,
    KAFKA_UNKNOWN_TOPIC_OR_PARTITION = 3,
    KAFKA_LEADER_NOT_AVAILABLE = 5,
    KAFKA_NOT_LEADER_OR_FOLLOWER = 6,
    KAFKA_REQUEST_TIMED_OUT = 7,
    KAFKA_COORDINATOR_LOAD_IN_PROGRESS = 14,
    KAFKA_COORDINATOR_NOT_AVAILABLE = 15,
    KAFKA_NOT_COORDINATOR = 16,
    KAFKA_TOPIC_ALREADY_EXISTS = 36,
    KAFKA_NOT_CONTROLLER = 41,
    KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER = 45,
    KAFKA_INVALID_PRODUCER_EPOCH = 47,
    KAFKA_INVALID_TXN_STATE = 48,
    KAFKA_CONCURRENT_TRANSACTIONS = 51,
    KAFKA_UNSTABLE_OFFSET_COMMIT = 88,
    KAFKA_PRODUCER_FENCED = 90,
    KAFKA_TRANSACTIONAL_ID_NOT_FOUND = 105,
};

/** "NOT_COORDINATOR"; "UNKNOWN_ERROR_CODE" for codes that are not known here. Never NULL. */
const char *kafka_error_name(int code);
/** Whether Kafka calls the error retriable. */
bool kafka_error_retriable(int code);
