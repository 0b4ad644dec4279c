Completion is made from the table of verbs. Bash itself completes:

  $ source <(kaos completions bash)
  $ try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kaos; printf '%s\n' "${COMPREPLY[@]}"; }
  $ try kaos li
  lint
  list
  $ try kaos run --see
  --seed
  $ try kaos run --no-f
  --no-faults
  $ try kaos run --it
  
  $ try kaos run --ui li
  live
  lines
  $ try kaos completions ""
  bash
  zsh
  fish
  $ try kaos help expl
  explain
  $ try kaos nosuch --x
  
  $ complete -p kaos
  complete -o default -F _kaos kaos

Every verb that help shows is completed, no hidden one is.

  $ try kaos "" | sort > completed
  $ kaos help | sed -n '/^verbs/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort | diff - completed
  $ grep __ completed
  [1]

The other shells parse what is written, where they are installed.

  $ kaos completions zsh > _kaos; if command -v zsh >/dev/null; then zsh -n _kaos; fi
  $ kaos completions fish > kaos.fish; if command -v fish >/dev/null; then fish -n kaos.fish; fi
  $ head -n 1 _kaos
  #compdef kaos
  $ grep -c "__fish_seen_subcommand_from run" kaos.fish
  * (glob)

Quotes are balanced in all of them.

  $ for shell in bash zsh fish; do bash -n <(kaos completions $shell) || echo $shell; done
  $ kaos completions
  kaos: completions: no shell: name one shell: bash, zsh or fish
  [64]
  $ kaos completions tcsh
  kaos: completions: tcsh is not known; name one shell: bash, zsh or fish
  [64]
