# Container images: built with buildah, kept in the cache, imported into the node's containerd.
# An image is named localhost/... and used with imagePullPolicy Never or IfNotPresent.
# Sourced, never run.
# shellcheck shell=bash

image() { buildah --root "$cache/images" --runroot "$state/buildah" --storage-driver overlay "$@"; }

# build_image NAME ARGUMENTS...: as `buildah build`. With its times set to zero an image of the same
# files is the same image. The one that had the name before is removed.
build_image() {
  local name=$1
  shift
  image build --isolation chroot --timestamp 0 --quiet --tag "$name" "$@" >/dev/null
  image rmi --prune --force >/dev/null
}

# load_image NAME: puts an image onto the node, if it is not there as it is.
load_image() {
  local name=$1 id archive
  id=$(image images --quiet --no-trunc "$name")
  if grep -qF "$name " <<<"$(node_ctr images list)" && [ "$(cat "$state/run/image-${name//\//_}" 2>/dev/null)" = "$id" ]; then return; fi
  archive=$(mktemp --dry-run --suffix=.tar)
  image push --quiet --disable-compression "$name" "docker-archive:$archive:$name"
  node_ctr images import "$archive" >/dev/null
  rm -f "$archive"
  echo "$id" >"$state/run/image-${name//\//_}"
}

# The process that holds a pod's namespaces. It does nothing but end when it is asked to.
load_pause_image() {
  local folder
  if grep -qx localhost/pause:1 <<<"$(node_ctr images list --quiet)"; then return; fi
  folder=$(mktemp -d)
  cat >"$folder/pause.c" <<'C'
#include <signal.h>
#include <unistd.h>
static void end(int number) { (void)number; _exit(0); }
int main(void) {
  signal(SIGTERM, end);
  signal(SIGINT, end);
  for (;;) pause();
}
C
  cc -static -Os -s -o "$folder/pause" "$folder/pause.c"
  printf 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n' >"$folder/Dockerfile"
  build_image localhost/pause:1 "$folder"
  load_image localhost/pause:1
  rm -rf "$folder"
}
