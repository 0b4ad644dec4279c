What this machine lacks. The checks are the same everywhere, their results are not.

  $ kaos doctor | awk '/^(ok|warn|BAD)/ { print $2 }' | sort | uniq | tr '\n' ' '
  clock disk docker files java kafka memory ports processes  (no-eol)
  $ env JAVA_HOME=/nowhere kaos doctor | grep -A2 "^warn  java"
  warn  java      JAVA_HOME is /nowhere, but there is no bin/java in it
                  do this: script/setup --kafka, or a java 17 or later on PATH or in JAVA_HOME
                  concerns: every run on --cluster kafka
  $ env JAVA_HOME=/nowhere kaos doctor >/dev/null
  $ mkdir -p jdk/bin && printf '#!/bin/sh\n' > jdk/bin/java && chmod +x jdk/bin/java && echo 'JAVA_VERSION="11.0.2"' > jdk/release
  $ env JAVA_HOME=$PWD/jdk kaos doctor | grep "^warn  java"
  warn  java      11.0.2 at */jdk/bin/java is too old (glob)
  $ mkdir home && env KAOS_HOME=$PWD/home kaos doctor | grep -A1 "^warn  kafka"
  warn  kafka     Apache Kafka 4.3.1 is not here: run script/kafka 4.3.1 (there are: none)
                  do this: script/kafka 4.3.1
  $ (ulimit -n 256; kaos doctor | grep -A1 "^warn  files")
  warn  files     256 (at least 4096 is good)
                  do this: ulimit -n 65536

Scenarios that are named are looked at, too.

  $ kaos new eos.lua -t eos >/dev/null
  $ kaos doctor eos.lua | grep scenarios
  ok    scenarios the programs of 1 are all here
  $ cat > black.lua <<'L'
  > scenario "black" {
  >   topics = { numbers = {} },
  >   roles  = { app = { exec = { "no-such-program", "x" } }, shell = { exec = { "sh", "-c", "true" } } },
  >   expect = { messages { topic = "numbers" } },
  > }
  > L
  $ kaos doctor black.lua | grep -A2 program
  BAD   program   role app runs no-such-program, which is not here
                  do this: install it, or build it with script/workers
                  concerns: black.lua:1
  $ echo 'scenario "x" {}' > broken.lua
  $ kaos doctor broken.lua | grep -A2 "^BAD   scenario"
  BAD   scenario  broken.lua does not load
                  do this: kaos lint shows where
                  concerns: broken.lua

Clusters that do not answer, each with its own diagnosis.

  $ fake() { rm -f port; python3 $TESTDIR/fake_broker.py "$1" port "${@:2}" & pids="$pids $!"; until [ -s port ]; do sleep 0.05; done; port=$(cat port); }
  $ doctor() { kaos doctor --bootstrap "$1" | sed "s/:${port:-none}/:PORT/g"; }
  $ doctor nonsense
  BAD   address   'nonsense' is not HOST:PORT
                  do this: write HOST:PORT, as in localhost:9092
  1 wrong, 0 to know of
  $ doctor no-such-host.invalid:9092 | head -n 2
  BAD   resolve   no-such-host.invalid:9092: the name is not known: * (glob)
                  do this: check the spelling; look the name up with `getent hosts NAME`
  $ port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  $ doctor 127.0.0.1:$port
  BAD   connect   127.0.0.1:PORT: the name is known, but nobody listens there
                  do this: is the broker up? does it listen on this port (listeners in server.properties)?
  1 wrong, 0 to know of
  $ fake silent; doctor 127.0.0.1:$port
  BAD   protocol  127.0.0.1:PORT accepts connections and says nothing
                  do this: is this a TLS or SASL listener (kaos speaks PLAINTEXT), or another program? a broker that hangs shows so, too
  1 wrong, 0 to know of
  $ fake garbage; doctor 127.0.0.1:$port
  BAD   protocol  127.0.0.1:PORT answers, but not as Kafka does: * (glob)
                  do this: something else listens on this port, or it is a TLS listener
  1 wrong, 0 to know of
  $ fake hangup; doctor 127.0.0.1:$port
  BAD   protocol  127.0.0.1:PORT hangs up: * (glob)
                  do this: a TLS or SASL listener, or a controller's, does so: use the broker's PLAINTEXT listener
  1 wrong, 0 to know of

The bootstrap address is fine, what the broker advertises is not.

  $ fake kafka kafka.invalid:9092 1 1; doctor 127.0.0.1:$port
  ok    protocol  127.0.0.1:PORT speaks Kafka
  ok    metadata  cluster fake, 1 broker, controller 1
  BAD   broker 1  advertises kafka.invalid:9092: the name is not known: * (glob)
                  do this: set advertised.listeners of that broker to a name and port which clients reach from here, or make the name known (DNS, /etc/hosts)
                  concerns: every client that this broker leads a partition for
  1 wrong, 0 to know of
  $ closed=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
  $ fake kafka 127.0.0.1:$closed 1 1; doctor 127.0.0.1:$port | grep "broker 1"
  BAD   broker 1  advertises 127.0.0.1:*: the name is known, but nobody listens there (glob)

Too few brokers for the replication that is configured: both numbers, and who is missing.

  $ fake kafka self:0 2 3; doctor 127.0.0.1:$port
  ok    protocol  127.0.0.1:PORT speaks Kafka
  ok    metadata  cluster fake, 2 brokers, controller 1
  ok    broker 1  127.0.0.1:PORT speaks Kafka where it says it is
  ok    broker 2  127.0.0.1:PORT speaks Kafka where it says it is
  BAD   replicas  offsets.topic.replication.factor is 3, but only 2 brokers are registered; missing: 3
                  do this: start the missing brokers, or lower the setting on all of them
                  concerns: groups and transactions: they find no coordinator
  1 wrong, 0 to know of
  $ fake kafka self:0 3 3; doctor 127.0.0.1:$port | tail -n 2
  ok    replicas  3 brokers are enough for what is configured
  0 wrong, 0 to know of
  $ kill $pids
