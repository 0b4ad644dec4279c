// SPDX-License-Identifier: Apache-2.0
// Runs Apache Kafka's command line tools one after the other in one JVM, as a JVM takes longer to start
// than a tool to run. Each line of the standard input is "NAME CODE CLASS ARGUMENT...": the tool's output
// goes to NAME.txt, its input comes from NAME.in if there is one. A tool that ends with another exit
// code than CODE ends this program with 1.

import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;

public final class Tools {
    /** What a tool's call of exit throws. Some tools catch it and exit once more: the first one counts. */
    private static final class Exited extends Error {
        Exited() {
            super(null, null, false, false);
        }
    }

    /** Standard output of the tool that runs: some libraries keep the stream that they have seen first. */
    private static final class Switch extends OutputStream {
        volatile OutputStream to = OutputStream.nullOutputStream();

        @Override
        public void write(int b) throws java.io.IOException {
            to.write(b);
        }

        @Override
        public void write(byte[] b, int from, int n) throws java.io.IOException {
            to.write(b, from, n);
        }

        @Override
        public void flush() throws java.io.IOException {
            to.flush();
        }
    }

    /** As a tool: opens a transaction with one record and leaves it open. */
    public static final class Open {
        private static KafkaProducer<String, String> producer;

        public static void main(String[] args) throws Exception {
            Map<String, Object> conf = new HashMap<>();
            conf.put("bootstrap.servers", args[1]);
            conf.put("transactional.id", args[2]);
            conf.put("key.serializer", StringSerializer.class);
            conf.put("value.serializer", StringSerializer.class);
            producer = new KafkaProducer<>(conf);
            producer.initTransactions();
            producer.beginTransaction();
            System.out.println(producer.send(new ProducerRecord<>(args[3], 0, null, "open")).get());
        }
    }

    private static final Switch OUT = new Switch();
    private static volatile Integer exited;

    private static void exit(int code, String message) {
        if (exited == null) {
            if (message != null) {
                System.out.println(message);
            }
            exited = code;
            OUT.to = OutputStream.nullOutputStream();
        }
        throw new Exited();
    }

    private static int run(String tool, String[] args) throws Exception {
        exited = null;
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException e) {
            if (exited == null) {
                e.getCause().printStackTrace(System.out);
                return -1;
            }
        }
        return exited == null ? 0 : exited;
    }

    private static int run(String[] words) throws Exception {
        Path input = Path.of(words[0] + ".in");
        System.setIn(Files.exists(input) ? Files.newInputStream(input) : InputStream.nullInputStream());
        try (OutputStream file = Files.newOutputStream(Path.of(words[0] + ".txt"))) {
            OUT.to = file;
            return run(words[2], Arrays.copyOfRange(words, 3, words.length));
        } finally {
            OUT.to = OutputStream.nullOutputStream();
        }
    }

    public static void main(String[] args) throws Exception {
        List<String> lines = new String(System.in.readAllBytes()).lines().toList();
        System.setOut(new PrintStream(OUT, true));
        System.setErr(new PrintStream(OUT, true));
        Exit.setExitProcedure(Tools::exit);
        for (String line : lines) {
            String[] words = line.trim().split(" +");
            int code = run(words);
            if (code != Integer.parseInt(words[1])) {
                Files.writeString(Path.of("failed"), line + "\nended with " + code + "\n");
                Runtime.getRuntime().halt(1);
            }
        }
        Runtime.getRuntime().halt(0);
    }
}
