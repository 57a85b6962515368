# Keys, certificates and kubeconfigs, made once for each state folder. Sourced, never run.
# shellcheck shell=bash

# authority NAME: a certificate authority, as pki/NAME.crt and pki/NAME.key.
authority() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=$1" \
    -keyout "$state/pki/$1.key" -out "$state/pki/$1.crt" 2>/dev/null
}

# certificate AUTHORITY NAME SUBJECT [SUBJECT_ALTERNATIVE_NAMES]: of X.509's third version, which having an
# extension makes it; rustls takes no other.
certificate() {
  local path=$state/pki/$2
  openssl req -newkey rsa:2048 -nodes -keyout "$path.key" -subj "$3" 2>/dev/null |
    openssl x509 -req -days 365 -CA "$state/pki/$1.crt" -CAkey "$state/pki/$1.key" -CAcreateserial \
      -extfile <(printf '%s\n' "keyUsage=digitalSignature" ${4:+"subjectAltName=$4"}) -out "$path.crt" 2>/dev/null
}

# kubeconfig NAME: for the client whose certificate has that name.
kubeconfig() {
  cat >"$state/pki/$1.kubeconfig" <<Y
apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, user: $1}}]
clusters:
  - name: test
    cluster:
      server: https://127.0.0.1:6443
      certificate-authority-data: $(base64 -w0 "$state/pki/cluster-ca.crt")
users:
  - name: $1
    user:
      client-certificate-data: $(base64 -w0 "$state/pki/$1.crt")
      client-key-data: $(base64 -w0 "$state/pki/$1.key")
Y
}

# make_pki: everything, if a run before this one has not. The last file made stands for all.
make_pki() {
  local complete=$state/pki/complete client
  [ ! -f "$complete" ] || return 0
  authority cluster-ca
  certificate cluster-ca apiserver /CN=kube-apiserver \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1,IP:$address"
  certificate cluster-ca apiserver-kubelet /O=system:masters/CN=apiserver-kubelet
  certificate cluster-ca admin /O=system:masters/CN=admin
  certificate cluster-ca controller-manager /CN=system:kube-controller-manager
  certificate cluster-ca scheduler /CN=system:kube-scheduler
  certificate cluster-ca node /O=system:nodes/CN=system:node:node1
  certificate cluster-ca proxy /CN=system:kube-proxy
  for client in admin controller-manager scheduler node proxy; do kubeconfig "$client"; done
  openssl genrsa -out "$state/pki/service-accounts.key" 2048 2>/dev/null
  openssl rsa -in "$state/pki/service-accounts.key" -pubout -out "$state/pki/service-accounts.pub" 2>/dev/null
  # A hospital's own authority, which neither the cluster nor any image knows.
  authority s3-ca
  certificate s3-ca s3 /CN=s3 "IP:$address"
  touch "$complete"
}
