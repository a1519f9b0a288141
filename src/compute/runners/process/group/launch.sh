#!/bin/sh
# Becomes the command of a process task. Its arguments are: how many words the cancel command has, the limit
# of address space in KiB or 0, the marker, the words of the cancel command, and those of the command.
#
# Before it becomes the command it leaves a watchdog in the same process group, which reads from descriptor
# 3. The service holds the other end and never writes: reading ends when the service is gone, however it
# died. Then the watchdog runs the cancel command, for ten seconds at most, and kills what carries the marker
# and the group, itself included. When the command ends in the life of the service, the service kills the
# group, and the watchdog with it.
cancel=$1 memory=$2 marker=$3
shift 3
(
  exec </dev/null >/dev/null 2>&1
  trap '' HUP INT QUIT TERM
  read -r _ <&3
  if [ "$cancel" -gt 0 ]; then
    kill -TERM -$$
    ( sleep 10; kill -KILL -$$ ) &
    i=1 words=
    while [ "$i" -le "$cancel" ]; do
      words="$words \"\${$i}\""
      i=$((i + 1))
    done
    eval "$words"
  fi
  read -r self rest </proc/self/stat
  # shellcheck disable=SC2013 # These paths have no spaces.
  for environ in $(grep -ls "$marker" /proc/[0-9]*/environ); do
    pid=${environ#/proc/} pid=${pid%/environ}
    [ "$pid" = "$self" ] || kill -KILL "$pid"
  done
  kill -KILL -$$
) &
exec 3<&-
shift "$cancel"
# The shells of Linux have both.
# shellcheck disable=SC3045
ulimit -c 0
# shellcheck disable=SC3045
[ "$memory" = 0 ] || ulimit -v "$memory"
exec "$@"
