Clusters that stay up between runs; what needs no Kafka.

  $ kaos cluster ls
  no cluster is registered; start one with `kaos cluster up`
  $ kaos cluster down
  kaos: cluster down: there is no cluster default; see `kaos cluster ls`
  [64]
  $ kaos cluster down --all
  $ kaos cluster
  kaos: cluster: say one of up, down, ls
  [64]
  $ kaos cluster stop
  kaos: cluster: stop is none of up, down, ls
  [64]
  $ kaos cluster up --name ../x
  kaos: cluster: --name ../x: a name begins with a letter and has letters, digits, '-', '_' and '.'
  [64]
  $ kaos cluster up --cluster localhost:9092
  kaos: cluster up: --cluster localhost:9092: kafka or kafka:VERSION can be started
  [64]
  $ kaos cluster up --brokers 9
  kaos: --brokers: 9 is not a number from 1 to 5
  [64]

A registration whose processes are gone, one that is damaged, and one whose pid is another process.

  $ mkdir -p .kaos/clusters/old .kaos/clusters/bad .kaos/clusters/other
  $ echo '{"name":"old","version":"4.3.1","direct":"127.0.0.1:1","faulty":"127.0.0.1:2","since_ms":0,"nodes":[{"pid":999999999,"started":5}]}' > .kaos/clusters/old/cluster.json
  $ echo '[]' > .kaos/clusters/bad/cluster.json
  $ sleep 60 & pid=$!
  $ sed "s/999999999/$pid/" .kaos/clusters/old/cluster.json > .kaos/clusters/other/cluster.json
  $ kaos cluster ls 2>&1 | sort
  kaos: .kaos/clusters/bad/cluster.json says nothing of a cluster: remove it
  old          Kafka 4.3.1    1 broker   127.0.0.1:1  since * 1 of 1 processes are gone: kaos cluster down --name old (glob)
  other        Kafka 4.3.1    1 broker   127.0.0.1:1  since * 1 of 1 processes are gone: kaos cluster down --name other (glob)
  $ kaos cluster down --name bad
  kaos: cluster down: .kaos/clusters/bad/cluster.json says nothing of a cluster: remove it
  [4]
  $ kaos cluster down --name old
  old: 0 processes ended, its data is removed
  $ kaos cluster down --name other
  other: 0 processes ended, its data is removed
  $ kill -0 $pid && echo the other process lives
  the other process lives
  $ kill $pid
  $ ls .kaos/clusters
  bad
