What editors and CI need; nothing is overwritten without --force.

  $ kaos init | head -n 3
  .kaos/meta/kaos.lua          the language, for the Lua language server
  .luarc.json                  its settings
  .luacheckrc                  names that luacheck should know
  $ echo mine > .luarc.json
  $ kaos init | grep -c "left as it is"
  [34] (re)
  $ cat .luarc.json
  mine
  $ kaos init --force | grep luarc
  .luarc.json                  its settings
  $ python3 -m json.tool .luarc.json
  {
      "runtime.version": "Lua 5.4",
      "workspace.library": [
          ".kaos/meta"
      ],
      "workspace.checkThirdParty": false
  }
  $ kaos init x
  kaos: init: takes no names; it writes into the working directory
  [64]

With these settings luacheck is content with every scenario that kaos ships, wherever it lies.

  $ cp $TESTDIR/../../scenarios/*.lua .
  $ kaos new mine.lua -t eos
  mine.lua written; next: kaos run mine.lua
  $ luacheck --quiet --no-color *.lua | tail -n 1
  Total: 0 warnings / 0 errors in * files (glob)

The stub names every word that the language has.

  $ luac5.4 -p .kaos/meta/kaos.lua 2>/dev/null || lua5.4 -e 'assert(loadfile ".kaos/meta/kaos.lua")'
  $ grep -c "^---@" .kaos/meta/kaos.lua
  [0-9]+ (re)

The workflow is the one that kaos tests.

  $ diff .github/workflows/kaos.yml $TESTDIR/../../lib/templates/github-workflow.yml
