# Paths, messages and processes of the test cluster. Sourced by the scripts beside it, never run.
# shellcheck shell=bash

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${ATTRIUM_CACHE:-$HOME/.cache/attrium}/cluster
bin=${ATTRIUM_CLUSTER_BIN:-$cache/bin}
state=${ATTRIUM_CLUSTER_STATE:-/var/tmp/attrium-cluster}
export PATH=$bin:$PATH

# The node's bridge: pods reach the API server and the S3 servers by this address.
address=10.88.0.1
pods=10.88.0.0/16
services=10.96.0.0/16
dns_address=10.96.0.10
containerd_socket=$state/cri/containerd.sock

say() { echo "$*" >&2; }
fail() { say "$*"; exit 1; }

need_root() {
  [ "$(id -u)" = 0 ] ||
    fail "The test cluster needs root: it starts containers, a network bridge and packet filter rules. Run it as root, on a machine that may be changed."
}

# check NAME...: that each program is there, with the remedy where one is not.
check_programs() {
  local name
  for name in "$@"; do
    command -v "$name" >/dev/null || fail "$name is missing: run $here/build first."
  done
}

# A process is remembered as its id and the time it started at, so that an id which the system has
# given to another process since, as after a reboot, is never signalled. One that has ended and waits
# for its parent to hear of it has no time.
started_at() { awk '{ sub(/.*\) /, "") } $1 != "Z" { print $20 }' "/proc/$1/stat" 2>/dev/null; }

# start NAME COMMAND...: starts a component in a session of its own; its output goes to its log.
start() {
  local name=$1
  shift
  if running "$name"; then return; fi
  setsid "$@" >>"$state/log/$name.log" 2>&1 </dev/null 3>&- &
  echo "$! $(started_at $!)" >"$state/run/$name"
}

# running NAME: whether the component runs; its process id is then in $pid.
running() {
  local since
  pid=
  [ -f "$state/run/$1" ] || return 1
  read -r pid since <"$state/run/$1"
  [ -n "$since" ] && [ "$(started_at "$pid")" = "$since" ]
}

# stop NAME: stops the component and waits for its end. The API server, whose state is etcd's, would
# wait for its clients.
stop() {
  if running "$1"; then
    local deadline=$((SECONDS + 20)) signal=TERM
    [ "$1" != apiserver ] || signal=KILL
    kill -"$signal" "$pid"
    while running "$1"; do
      [ "$SECONDS" -lt "$deadline" ] || kill -KILL "$pid"
      sleep 0.05
    done
  fi
  rm -f "$state/run/$1"
}

# wait_for WHAT COMMAND...: until the command succeeds, for at most two minutes.
wait_for() {
  local what=$1 deadline=$((SECONDS + 120))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$what is not ready after two minutes; its log is in $state/log."
    sleep 0.2
  done
}

kubectl() { "$bin/kubectl" --kubeconfig "$state/pki/admin.kubeconfig" "$@"; }
node_ctr() { ctr --address "$containerd_socket" --namespace k8s.io "$@"; }
