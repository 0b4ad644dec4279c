Lua from standard input, without a cluster: an expression shows its value as it is, a statement
shows nothing.

  $ ask() { kaos repl --cluster none; }
  $ echo '1 + 1' | ask
  2
  $ printf 'x = 6\nx * 7\n"text"\n' | ask
  42
  text
  $ printf '{1, 2, 3}\n{a = {b = {c = {d = 1}}}}\n' | ask
  { 1, 2, 3 }
  { a = { b = { c = {...} } } }

A chunk may take several lines.

  $ ask <<'END'
  > function double(n)
  >   return 2 * n
  > end
  > for i = 1, 2 do
  >   print(double(i))
  > end
  > 20 +
  > 1
  > END
  2
  4
  21

`_` and `_1` are the last values; a semicolon at the end shows nothing.

  $ printf '3, 4\n_2 * 10\n"quiet";\n_\n' | ask
  3	4
  40
  quiet

The first error ends it.

  $ printf 'error "no"\nprint "not reached"\n' | ask
  error: prompt:1:1: no
  [3]
  $ echo 'prnt(1)' | ask
  error: prompt:1:1: unknown name `prnt`, did you mean `print`?
  [3]
  $ echo 'x = = 1' | ask
  error: prompt:1:1: unexpected symbol near '='
  [3]
  $ echo 'for i = 1, 2 do' | ask
  error: prompt:1:2: 'end' expected (to close 'for' at line 1) near <eof>
  [3]
  $ echo '.nosuch' | ask
  error: no command .nosuch; .help lists them
  [3]

Help comes from the table of the language.

  $ echo 'kill?' | ask | head -n 2
  kill { role, index?, every?, at?, signal?, max? }
      An instance is killed from outside.
  $ printf 'function f(a)\n  return a\nend\nf??\n' | ask
  -- prompt:1:1
  function f(a)
    return a
  end

What needs a cluster says that there is none; waits work without.

  $ echo 'topic("t", {})' | ask
  error: this prompt has no cluster (--cluster none); start it without that option
  [3]
  $ printf 'sleep "10ms"\n"rested"\n' | ask
  rested
  $ printf 't = spawn(function() sleep "5ms" return 7 end)\nt:join()\n' | ask
  true	7

Files and programs are out of reach, as in scenarios.

  $ echo 'io.open "x"' | ask
  error: prompt:1:1: io.open is not available: scenarios reach no files, programs or network
  [3]

A scenario can be loaded; a wrong one says why.

  $ kaos new smoke.lua > /dev/null
  $ printf '.load smoke.lua\n.quit\n' | ask | head -n 1
  smoke   2 roles, 1 fault, 1 property      start its roles with  up()  or all of it with  .run
  $ printf '.load smoke.lua\nup { workrs = 2 }\n' | ask | tail -n 1
  error: this prompt has no cluster (--cluster none); start it without that option
  $ echo '.load nosuch.lua' | ask
  error: opening nosuch.lua: No such file or directory
  [3]
  $ echo 'kill "w1"' | ask
  error: no scenario is loaded; .load FILE
  [3]

A loop that waits for nothing ends with its terminal, or when it is told to.

  $ yes 'while true do end' | head -n 1 | timeout -s HUP 1 kaos repl --cluster none
  error: prompt:1:1: interrupted
  [124]

Options.

  $ kaos repl --cluster nosuch < /dev/null
  kaos: * (glob)
  [64]
  $ kaos repl --attach nosuch < /dev/null
  kaos: nosuch names no run in .kaos/runs
  [64]
  $ kaos repl a b < /dev/null
  kaos: repl: at most one file
  [64]
  $ ls -A
  smoke.lua
