#!/bin/sh
# The part that this container plays: its first argument, or KAOS_TARGET.
#   worker       hosts roles for a runner, on port KAOS_AGENT_PORT (7070); needs KAOS_AGENT_TOKEN
#   controller   kaos run with the arguments that follow
#   else         kaos with all arguments
set -eu
case ${1:-$KAOS_TARGET} in
worker) exec kaos agent --listen ":${KAOS_AGENT_PORT:-7070}" ;;
controller)
    [ $# -eq 0 ] || shift
    exec kaos run "$@"
    ;;
*) exec kaos "${@:-help}" ;;
esac
