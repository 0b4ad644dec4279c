The overview, without a verb too.

  $ kaos help
  kaos finds out whether Kafka applications, clients and brokers keep their promises under faults.
  
    kaos new eos.lua -t eos        writes a scenario
    kaos lint eos.lua              checks it without running anything
    kaos run eos.lua               runs and judges it; --cluster kafka: on a real Kafka
    kaos run scenarios/ --seed 7   a folder of scenarios, with chosen dice
    kaos explain duplicate         what a finding means
  
  verbs
    run         runs scenarios and judges them (default: scenarios/)
    lint        checks scenario files without running anything
    list        lists scenarios, one per line
    show        shows verdict, evidence and timeline of a stored run
    analyze     judges a stored history again; nothing runs
    explain     explains a finding, a verdict or a term
    export      writes the whole history as JSON lines
    new         writes a scenario from a template
    broker      serves Kafka's protocol from memory: a broker for tests, without Java
    init        writes what editors and CI need beside scenarios: stub, settings, workflow
    inspect     prints what a scenario means as JSON, with the faults of a seed
    completions writes the completion of a shell
    repl        the prompt: a cluster, roles and faults by hand
    cluster     clusters that stay up between runs (run --cluster reuse)
    agent       hosts role processes for a runner on another host
    doctor      says what this machine, or a cluster, lacks, and what to do
    version     versions of kaos and of what it is built on
    help        help on a verb, or on a name of the scenario language
  
  `kaos help VERB` lists its options, `kaos help NAME` explains a name of the language.
  exit codes: 0 pass, 1 fail, 2 inconclusive, 3 scenario error, 4 environment, 5 nothing ran,
              64 usage, 70 bug in kaos, 130 and 143 interrupted
  $ kaos | diff - <(kaos help)
  $ kaos --help | diff - <(kaos help)

A verb, in three ways.

  $ kaos help run
  kaos run [DIR | FILE | FILE:LINE | NAME]...
    runs scenarios and judges them (default: scenarios/)
  
    kaos run eos.lua                               all scenarios of a file, on a broker of kaos's own
    kaos run eos.lua --cluster kafka               on a real Kafka
    kaos run scenarios/ --seed 7                   a folder, with chosen dice
    kaos run eos.lua -g eos -p ids=200             one scenario, with a param changed
    kaos run eos.lua --repeat 20 -r junit=out.xml  twenty seeds, and a report for CI
  
    select
    -g, --grep TEXT            only scenarios whose name contains TEXT (repeatable)
    -G, --grep-invert TEXT     only scenarios whose name does not contain TEXT (repeatable)
    -t, --tags A,B,~C          with tag A or B, and not C (repeatable); names and FILE:LINE need none
        --last-failed          only what was no pass when it last ran
        --shard I/N            the I-th of N parts, by a hash of the name
        --no-match fail|warn|pass
                               when nothing is selected (default fail: exit 5)
  
    vary
    -p, --param NAME=VALUE     sets a declared param (repeatable)
        --params FILE          values of params from FILE.json or FILE.lua (repeatable)
        --matrix NAME=A,B,C    each scenario with each of the values (repeatable: their cross product)
  
    randomness and repetition
    -s, --seed N               seed of all decisions, decimal or 0x; random by default, printed first and last
        --repeat N             runs each scenario N times with seeds derived from the seed
        --for DURATION         repeats until the time is over
        --until-fail           repeats until a run fails
        --max-fail N           stops after N failing runs (default in sweeps: 10 of a scenario)
        --at-least M           of the repeated runs at least M must end as declared (default: all)
        --inconclusive pass|warn|fail
                               what INCONCLUSIVE counts as (default fail: exit 2)
  
    faults
        --no-faults            baseline: declared faults do not fire
  
    cluster
        --cluster KIND         embedded (default), kafka[:VERSION], reuse[:NAME] or HOST:PORT[,HOST:PORT]
        --refused fail|warn|pass
                               when the cluster cannot do what a scenario asks (default fail: exit 4)
        --brokers N            nodes of a managed cluster, 1 to 5
        --allow-faults-on-external
                               faults may touch brokers of a cluster that kaos did not start
        --keep                 leaves a managed cluster running and says how to reach and end it
        --place ROLE=HOST:PORT,...
                               instances of a role live under these agents (repeatable)
  
    execute
    -j, --jobs N               runs in parallel (default 1)
        --timeout DURATION     hard limit of the work phase
  
    output
    -r, --report KIND[=PATH]   also writes junit, tap, github, md, json or jsonl (repeatable)
        --store DIR            where runs are kept (default .kaos)
        --history on|on-fail   on-fail: none is kept of what ends as declared (default in sweeps)
        --evidence N           cases shown per finding (default 3; all are stored)
        --ui auto|live|lines|quiet|json
                               how the run shows itself; auto: live on a terminal, lines elsewhere
    -q, --quiet                the same as --ui quiet
  $ kaos run --help | diff - <(kaos help run)
  $ kaos help lint
  kaos lint [DIR | FILE]...
    checks scenario files without running anything
  
    kaos lint                        all of scenarios/
    kaos lint eos.lua                one file
    kaos lint eos.lua --format json  for programs
  
        --format KIND          text (default), json or github
  $ kaos help show
  kaos show RUN
    shows verdict, evidence and timeline of a stored run
  
    kaos show latest                                 the newest run
    kaos show latest --violation 1                   all cases of the first finding
    kaos show latest --id 1437                       the life of one id
    kaos show latest --role worker.2 --around 41+-2  one process around t+41 s
  
        --id X                 events of one id
        --role NAME            events of one process (worker.2) or role
        --around T             events around t+T seconds, as SECONDS or SECONDS+-WIDTH
        --violation N          evidence of the N-th finding, all its cases
        --store DIR            where runs are kept (default .kaos)

A name of the language.

  $ kaos help crash
  crash { role, index?, p?, at?, per?, point?, max? }
      The role kills itself with SIGKILL at a point of its work.
      role         role or list
                   Role or list of roles that are hit. Required.
      index        integer, 1 to 10000
                   Only this instance of the role. Default: any.
      p            probability
                   Probability 0..1, drawn once per record.
      at           duration or range
                   Instead of `p`: once, at the next occasion this long after the faults began.
      per          "message" | "batch" | "transaction"
                   What one draw is made for. Default: "message".
      point        crash point or list
                   Crash point or list of them; any = one of the eight that belong to a record or transaction. Default: "any".
      max          integer
                   Bounds the number of firings. Default: no bound.
  crash(instance, point?)
      The process kills itself at the next crash point, or at the one that is named. Example: `crash("w2", "before_commit")`.
  $ kaos help nosuch
  kaos: no help for `nosuch`; see `kaos help`
  [64]

Every verb of the table has help.

  $ for verb in run lint list show analyze explain export new version help; do kaos help $verb >/dev/null || echo $verb; done
