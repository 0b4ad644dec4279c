#!/bin/sh
# KAFKA_A_B=value becomes the property a.b=value; then the storage is formatted once.
set -eu
conf=/tmp/server.properties
env | sed -n 's/^KAFKA_\([A-Z_]*\)=/\1 /p' | while read -r name value; do
    echo "$(echo "$name" | tr 'A-Z_' 'a-z.')=$value"
done >$conf
grep -q '^log.dirs=' $conf || echo log.dirs=/var/lib/kafka/data/logs >>$conf
java -cp '/opt/kafka/libs/*' kafka.tools.StorageTool format --ignore-formatted \
    -t "$(cat /proc/sys/kernel/random/uuid | tr -d - | cut -c1-22)" -c $conf
exec java -Xmx512m -cp '/opt/kafka/libs/*' kafka.Kafka $conf
