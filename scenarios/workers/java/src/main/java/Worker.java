// SPDX-License-Identifier: Apache-2.0
// Copies records from one topic to another, exactly once, with kafka-clients. Everything comes from
// the environment: see README.md in the folder above. SIGTERM ends the worker after its
// transaction; any error that it cannot recover from ends it with 1.

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApplicationRecoverableException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

public final class Worker {
    private static final Duration POLL = Duration.ofMillis(250);
    private static final List<String> BUGS =
        List.of("none", "offsets-after-transaction", "no-rewind", "auto-commit");

    private final String bug = env("BUG", "none");
    private final String output = env("OUTPUT", null);
    private final long workMs = Long.parseLong(env("WORK_MS", "0"));
    private final long giveUpMs = Long.parseLong(env("GIVE_UP_MS", "0"));
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final KafkaProducer<byte[], byte[]> producer;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean stopping;

    private static String env(String name, String preset) {
        String v = System.getenv(name);
        if (v == null && preset == null) {
            throw new IllegalArgumentException("the environment lacks " + name);
        }
        return v == null ? preset : v;
    }

    private Worker() {
        if (!BUGS.contains(bug)) {
            throw new IllegalArgumentException("BUG: there is no bug '" + bug + "'");
        }
        int session = Integer.parseInt(env("SESSION_TIMEOUT_MS", "6000"));
        Map<String, Object> in = new HashMap<>();
        in.put("bootstrap.servers", env("BOOTSTRAP", null));
        in.put("group.id", env("GROUP", null));
        in.put("isolation.level", "read_committed");
        in.put("auto.offset.reset", "earliest");
        in.put("enable.auto.commit", bug.equals("auto-commit"));
        in.put("auto.commit.interval.ms", 1000);
        in.put("max.poll.records", Integer.parseInt(env("BATCH", "10")));
        String protocol = env("GROUP_PROTOCOL", "classic");
        in.put("group.protocol", protocol);
        if (!protocol.equals("consumer")) { // there it is the broker that says what sessions are
            in.put("session.timeout.ms", session);
            in.put("heartbeat.interval.ms", Math.max(100, session / 6));
        }
        in.put("key.deserializer", ByteArrayDeserializer.class);
        in.put("value.deserializer", ByteArrayDeserializer.class);
        Map<String, Object> out = new HashMap<>();
        out.put("bootstrap.servers", env("BOOTSTRAP", null));
        out.put("transactional.id", env("TRANSACTIONAL_ID", null));
        out.put("transaction.timeout.ms",
            Integer.parseInt(env("TRANSACTION_TIMEOUT_MS", "10000")));
        out.put("key.serializer", ByteArraySerializer.class);
        out.put("value.serializer", ByteArraySerializer.class);
        producer = new KafkaProducer<>(out);
        consumer = new KafkaConsumer<>(in);
    }

    /** A call that may be repeated when it took too long: its effect is the same. */
    private static void persist(Runnable call) {
        while (true) {
            try {
                call.run();
                return;
            } catch (TimeoutException e) {
                System.out.println("again: " + e.getMessage());
            }
        }
    }

    private void rewind() {
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(consumer.assignment());
        for (TopicPartition p : consumer.assignment()) {
            OffsetAndMetadata at = committed.get(p);
            if (at == null) {
                consumer.seekToBeginning(List.of(p));
            } else {
                consumer.seek(p, at);
            }
        }
    }

    private static boolean needsNewProducer(KafkaException e) {
        return e instanceof ApplicationRecoverableException || e instanceof ProducerFencedException
            || e instanceof OutOfOrderSequenceException || e instanceof AuthorizationException
            || e instanceof UnsupportedVersionException;
    }

    private void copy(ConsumerRecords<byte[], byte[]> records, ConsumerGroupMetadata metadata)
        throws InterruptedException {
        Map<TopicPartition, OffsetAndMetadata> after = new HashMap<>();
        long begun = System.nanoTime();
        producer.beginTransaction();
        for (ConsumerRecord<byte[], byte[]> r : records) {
            Thread.sleep(workMs);
            producer.send(new ProducerRecord<>(output, r.key(), r.value()));
            after.put(new TopicPartition(r.topic(), r.partition()),
                new OffsetAndMetadata(r.offset() + 1));
        }
        if (giveUpMs > 0 && System.nanoTime() - begun > giveUpMs * 1_000_000) {
            throw new KafkaException("it took too long");
        }
        if (bug.equals("none") || bug.equals("no-rewind")) {
            persist(() -> producer.sendOffsetsToTransaction(after, metadata));
        }
        persist(producer::commitTransaction);
        if (bug.equals("offsets-after-transaction")) {
            try {
                consumer.commitSync(after);
            } catch (CommitFailedException e) {
                System.out.println("offsets not committed: " + e.getMessage());
            }
        }
    }

    private void step() throws InterruptedException {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
        if (records.isEmpty()) {
            return;
        }
        ConsumerGroupMetadata metadata = consumer.groupMetadata(); // of these records' assignment
        try {
            copy(records, metadata);
        } catch (KafkaException e) {
            if (needsNewProducer(e) || e instanceof WakeupException) {
                throw e;
            }
            System.out.println("aborting: " + e);
            persist(producer::abortTransaction);
            if (!bug.equals("no-rewind")) {
                rewind();
            }
        }
    }

    private void run() throws InterruptedException {
        persist(producer::initTransactions);
        consumer.subscribe(List.of(env("INPUT", null)));
        while (!stopping) {
            step();
        }
        consumer.close();
        producer.close();
    }

    private void stop() {
        stopping = true;
        try {
            ended.await(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(0);
    }

    public static void main(String[] args) {
        System.out.println("kafka-clients " + AppInfoParser.getVersion());
        try {
            Worker worker = new Worker();
            Runtime.getRuntime().addShutdownHook(new Thread(worker::stop));
            worker.run();
            worker.ended.countDown();
        } catch (Exception e) {
            System.out.println("fatal: " + e);
            Runtime.getRuntime().halt(1); // an open transaction is left to the next process
        }
    }
}
