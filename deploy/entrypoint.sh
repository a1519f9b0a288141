#!/bin/sh
# Process 1 of a container: passes the environment, with its secrets, only to the service, forwards signals,
# and waits for the processes that the commands of tasks leave behind.
#
# Linux shows the environment that a process was started with to every process of the same user. So this script
# restarts itself with an empty environment, and the settings in a pipe. The service hides its own.
set -eu

if [ "${1:-}" != --settings-in-pipe ]; then
  # A here-document is a pipe, which survives the exec.
  exec 3<<EOT
$(export -p)
EOT
  exec env -i PATH="$PATH" /bin/sh "$0" --settings-in-pipe "$@"
fi
shift

(
  settings=$(cat <&3)
  eval "$settings"
  exec 3<&-
  exec "$@"
) &
service=$!
exec 3<&-
trap 'kill -TERM "$service" 2>/dev/null || true' TERM
trap 'kill -INT "$service" 2>/dev/null || true' INT

# A signal ends the wait, not the service. Other processes that end meanwhile are waited for as well.
code=0
while kill -0 "$service" 2>/dev/null; do
  code=0
  wait "$service" || code=$?
done
exit "$code"
