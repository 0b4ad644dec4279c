# Apache Kafka's own command line tools against the embedded broker, that is Java's producer, consumer and
# admin client: topics, properties, records, groups, offsets, transactions.
. "$KAOS_ROOT/tests/system/lib.sh"
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
command -v "${java}c" >/dev/null || fail "there is no javac: run script/workers java"
start_broker
seq 1 50 | sed 's/.*/k&:v&/' >produce.in
echo '{"partitions":[{"topic":"words","partition":0,"offset":5}],"version":1}' >records.json

# Each line names the tool's output, the exit code it must have, and the tool.
sed -e 's/ org\.\.\./ org.apache.kafka.tools./' -e "s/ AT/ --bootstrap-server $at/" >commands <<'E'
create 0 org...TopicCommand AT --create --topic words --partitions 3 --config max.message.bytes=900000
again 1 org...TopicCommand AT --create --topic words --partitions 3
grow 0 org...TopicCommand AT --alter --topic words --partitions 4
topic 0 org...TopicCommand AT --describe --topic words
alter 0 kafka.admin.ConfigCommand AT --alter --entity-type topics --entity-name words --add-config max.message.bytes=800000
configs 0 kafka.admin.ConfigCommand AT --describe --entity-type topics --entity-name words
produce 0 org...ConsoleProducer AT --topic words --reader-property parse.key=true --reader-property key.separator=:
consume 0 org...consumer.ConsoleConsumer AT --topic words --group readers --from-beginning --isolation-level read_committed --max-messages 50 --formatter-property print.key=true --formatter-property key.separator=: --timeout-ms 30000
groups 0 org...consumer.group.ConsumerGroupCommand AT --list --state
group 0 org...consumer.group.ConsumerGroupCommand AT --describe --group readers
reset 0 org...consumer.group.ConsumerGroupCommand AT --reset-offsets --group readers --topic words --to-earliest --execute
back 0 org...consumer.group.ConsumerGroupCommand AT --describe --group readers
forget 0 org...consumer.group.ConsumerGroupCommand AT --delete --group readers
nobody 0 org...consumer.group.ConsumerGroupCommand AT --list
trim 0 org...DeleteRecordsCommand AT --offset-json-file records.json
earliest 0 org...GetOffsetShell AT --topic words --time earliest
latest 0 org...GetOffsetShell AT --topic words
newest 0 org...GetOffsetShell AT --topic words --time max-timestamp
open 0 Tools$Open AT one words
ongoing 0 org...TransactionsCommand AT list
one 0 org...TransactionsCommand AT describe --transactional-id one
two 1 org...TransactionsCommand AT describe --transactional-id two
producers 0 org...TransactionsCommand AT describe-producers --topic words --partition 0
hanging 0 org...TransactionsCommand AT find-hanging --broker-id 1
terminate 0 org...TransactionsCommand AT forceTerminateTransaction --transactionalId one
ended 0 org...TransactionsCommand AT list
versions 0 org...BrokerApiVersionsCommand AT
features 0 org...FeatureCommand AT describe
delete 0 org...TopicCommand AT --delete --topic words
none 0 org...TopicCommand AT --list
E
timeout 120 "$java" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$KAOS_HOME/kafka/4.3.1/libs/*" \
    "$KAOS_ROOT/tests/system/java/Tools.java" <commands >java.txt 2>&1 || {
    name=$(sed -n '1s/ .*//p' failed 2>/dev/null) || name=
    fail "$(cat java.txt failed 2>/dev/null): $(cat "${name:-none}.txt" 2>/dev/null)"
}

# is NAME REGEX: a line of the output, white space counted as one space.
is() {
    tr -s ' \t' ' ' <"$1.txt" | grep -qE -- "$2" || fail "$1 lacks '$2': $(cat "$1.txt")"
}
# sum NAME COLUMN SEPARATOR: of the lines that name the topic.
sum() {
    awk -F "$3" -v n="$2" '/words/ { sum += $n } END { print sum + 0 }' "$1.txt"
}
is again "Topic 'words' already exists"
is topic 'PartitionCount: 4 .*max.message.bytes=900000'
is configs '^ max.message.bytes=800000 .*DYNAMIC_TOPIC_CONFIG'
grep '^k' consume.txt | sort | cmp - <(sort produce.in) || fail "consumed: $(cat consume.txt)"
is groups '^readers Empty'
[ "$(sum group 4 ' +')/$(sum group 6 ' +')" = 50/0 ] || fail "offsets and lag: $(cat group.txt)"
[ "$(sum back 4 ' +')/$(sum back 6 ' +')" = 0/50 ] || fail "after the reset: $(cat back.txt)"
[ ! -s nobody.txt ] || fail "a deleted group: $(cat nobody.txt)"
is trim 'words-0 low_watermark: 5'
is earliest '^words:0:5'
[ "$(sum latest 3 :)" = 50 ] || fail "ends: $(cat latest.txt)"
[ "$(sum newest 3 :)" -gt 4 ] || fail "offsets of the newest records: $(cat newest.txt)"
is ongoing '^one 1 [0-9]+ Ongoing'
is one '^1 one [0-9]+ [0-9]+ Ongoing 60000 .* words-0'
is two 'the ID could not be found'
is producers " $(sed -n 's/words-0@//p' open.txt) \$"
[ "$(wc -l <hanging.txt)" -eq 1 ] || fail "hanging: $(cat hanging.txt)"
is ended '^one 1 [0-9]+ Empty'
is versions 'EndTxn\(26\): '
is features 'transaction.version'
! grep -qx words none.txt || fail "a deleted topic is listed"
stop_broker
