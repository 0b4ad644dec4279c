The embedded broker says where it listens, serves, and ends with a signal.

  $ kaos broker --listen 127.0.0.1:0 --topic in:2 --trace trace.txt >broker.txt 2>&1 &
  $ pid=$!
  $ for i in $(seq 200); do grep -qs listening broker.txt && break; sleep 0.05; done
  $ sed 's/:[0-9]*$/:PORT/' broker.txt
  listening on 127.0.0.1:PORT
  $ at=$(sed 's/.* //' broker.txt)
  $ seq 10 | kcat -b $at -t in -P
  $ kcat -b $at -t in -C -e -q | sort -n | tr '\n' ' '
  1 2 3 4 5 6 7 8 9 10  (no-eol)
  $ kill $pid
  $ wait $pid
  $ grep -c -- '-> Produce/7' trace.txt | awk '{print ($1 > 0)}'
  1

Three virtual nodes: three addresses, leaders spread over them.

  $ kaos broker --listen 127.0.0.1:0 --nodes 3 --topic wide:3 >broker.txt 2>&1 &
  $ pid=$!
  $ for i in $(seq 200); do grep -qs listening broker.txt && break; sleep 0.05; done
  $ at=$(sed 's/.* //' broker.txt)
  $ kcat -b $at -L -t wide | grep -o 'leader [0-9]' | sort -u
  leader 1
  leader 2
  leader 3
  $ kill $pid
  $ wait $pid

Commands for nodes come from standard input; what happens to nodes is said.

  $ printf 'kill 2\nkill 2\nmaim 1\npause 3\nresume 3\nkill 9\n' >commands
  $ mkfifo in
  $ kaos broker --listen 127.0.0.1:0 --nodes 3 --control - <in >broker.txt 2>err &
  $ pid=$!
  $ exec 3>in
  $ cat commands >&3
  $ for i in $(seq 200); do grep -qs 'node 2 down' broker.txt && break; sleep 0.05; done
  $ tail -n +2 broker.txt | sort
  node 2 down
  node 3 paused
  node 3 up
  $ cat err
  kaos: kill: node 2 is down
  kaos: 'maim' is not known: kill, stop, pause, isolate, resume or restart
  kaos: there is no node 9: the nodes are 1 to 3
  $ kill $pid
  $ wait $pid
  $ exec 3>&-
  $ kaos broker --control file
  kaos: --control: file is not - (standard input)
  [64]
  $ kaos broker --listen 127.0.0.1:0 --control - <commands
  kaos: --control: descriptor 0 is no pipe and no terminal: operation not permitted
  [4]

What is wrong with options is said.

  $ kaos broker now
  kaos: broker: takes no arguments, only options
  [64]
  $ kaos broker --listen 127.0.0.1:99999
  kaos: --listen: 127.0.0.1:99999 is not HOST:PORT
  [64]
  $ kaos broker --listen example:0
  kaos: listening on example:0: this is not a numeric address
  [64]
  $ kaos broker --config log.dirs=/tmp
  kaos: --config: the embedded broker does not know the broker property 'log.dirs'
  [64]
  $ kaos broker --config num.partitions=none
  kaos: --config: 'none' is not a value of the broker property 'num.partitions'
  [64]
  $ kaos broker --topic a:0
  kaos: --topic: a:0 is not NAME:PARTITIONS
  [64]
  $ kaos broker --listen 127.0.0.1:0 --topic 'a b'
  kaos: --topic: 'a b' is no name of a topic
  [64]
  $ kaos broker --transaction-version 3
  kaos: --transaction-version: 3 is not a number from 1 to 2
  [64]
  $ kaos broker --seed -1
  kaos: --seed: -1 is not a number (decimal or 0x)
  [64]
  $ kaos broker --config kaos.lost.connections.percent=51
  kaos: --config: '51' is not a value of the broker property 'kaos.lost.connections.percent'
  [64]
  $ kaos broker --memory much
  kaos: --memory: much is not a size (512m, 2g)
  [64]
