# Kueue, from its own chart, with its controller in an image of its program alone.
# Sourced, never run.
# shellcheck shell=bash

kueue_image=localhost/kueue
kueue_tag=test

load_kueue_image() {
  local folder program stamp=$state/run/kueue-program
  program=$(stat --format '%Y %s' "$bin/kueue")
  if [ "$(cat "$stamp" 2>/dev/null)" = "$program" ]; then return; fi
  folder=$(mktemp -d)
  ln "$bin/kueue" "$folder/manager" 2>/dev/null || cp --preserve=timestamps "$bin/kueue" "$folder/manager"
  printf 'FROM scratch\nCOPY manager /manager\nUSER 65532:65532\nENTRYPOINT ["/manager"]\n' >"$folder/Dockerfile"
  build_image "$kueue_image:$kueue_tag" "$folder"
  load_image "$kueue_image:$kueue_tag"
  rm -rf "$folder"
  echo "$program" >"$stamp"
}

# It manages what names a queue, and leaves every other Job alone. Its pod needs a minute until it has made
# itself a certificate, which nobody has to wait for who does not use it.
install_kueue() {
  load_kueue_image
  if helm --kubeconfig "$state/pki/admin.kubeconfig" status kueue --namespace kueue-system >/dev/null 2>&1; then return; fi
  helm --kubeconfig "$state/pki/admin.kubeconfig" upgrade --install kueue "$cache/kueue" \
    --namespace kueue-system --create-namespace \
    --set-string "controllerManager.manager.image.repository=$kueue_image" \
    --set-string "controllerManager.manager.image.tag=$kueue_tag" \
    --set controllerManager.manager.image.pullPolicy=Never --set controllerManager.replicas=1 >/dev/null
  # Until its pod serves them, and whenever it does not, no namespace could be deleted.
  kubectl delete apiservice v1beta1.visibility.kueue.x-k8s.io v1beta2.visibility.kueue.x-k8s.io --ignore-not-found >/dev/null
}
