# One function for each component of the cluster that starts it, `start_NAME`, and one that tells
# whether it is ready, `NAME_ready`. Sourced, never run.
# shellcheck shell=bash

# In the order in which they start; they stop in the opposite one.
components=(etcd apiserver controller-manager scheduler containerd kubelet proxy coredns s3 s3-tls)

start_etcd() {
  start etcd etcd --data-dir "$state/etcd" --unsafe-no-fsync --listen-peer-urls http://127.0.0.1:2380 \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379
}
etcd_ready() { curl -sf http://127.0.0.1:2379/health; }

# Pods of a lost node are given up after 10 s instead of 5 minutes, so that a test can wait for it.
start_apiserver() {
  start apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
    --bind-address=0.0.0.0 --secure-port=6443 --advertise-address="$address" \
    --tls-cert-file="$state/pki/apiserver.crt" --tls-private-key-file="$state/pki/apiserver.key" \
    --client-ca-file="$state/pki/cluster-ca.crt" \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$state/pki/service-accounts.pub" \
    --service-account-signing-key-file="$state/pki/service-accounts.key" \
    --service-cluster-ip-range="$services" --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction \
    --default-not-ready-toleration-seconds=10 --default-unreachable-toleration-seconds=10 \
    --kubelet-preferred-address-types=InternalIP \
    --kubelet-client-certificate="$state/pki/apiserver-kubelet.crt" \
    --kubelet-client-key="$state/pki/apiserver-kubelet.key"
}
apiserver_ready() { kubectl get --raw /readyz; }

start_controller-manager() {
  start controller-manager kube-controller-manager --kubeconfig="$state/pki/controller-manager.kubeconfig" \
    --leader-elect=false --use-service-account-credentials \
    --root-ca-file="$state/pki/cluster-ca.crt" \
    --service-account-private-key-file="$state/pki/service-accounts.key" \
    --cluster-signing-cert-file="$state/pki/cluster-ca.crt" \
    --cluster-signing-key-file="$state/pki/cluster-ca.key" --node-monitor-grace-period=16s
}
controller-manager_ready() { kubectl --namespace default get serviceaccount default; }

start_scheduler() {
  start scheduler kube-scheduler --kubeconfig="$state/pki/scheduler.kubeconfig" --leader-elect=false
}
scheduler_ready() { curl -skf https://127.0.0.1:10259/healthz; }

# restrict_oom_score_adj: a container within a sandbox may not lower a pod's oom_score_adj.
start_containerd() {
  cat >"$state/cni/10-bridge.conflist" <<Y
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$state/cni/leases", "ranges": [[{"subnet": "$pods"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
Y
  cat >"$state/cri/config.toml" <<Y
version = 2
root = "$state/cri/root"
state = "$state/cri/state"
[grpc]
  address = "$containerd_socket"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "localhost/pause:1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/cni"
Y
  start containerd containerd --config "$state/cri/config.toml"
}
containerd_ready() { node_ctr version; }

start_kubelet() {
  cat >"$state/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $state/pki/cluster-ca.crt}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
clusterDNS: [$dns_address]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://$containerd_socket
enforceNodeAllocatable: []
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
failSwapOn: false
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
nodeStatusUpdateFrequency: 4s
registryPullQPS: 0
syncFrequency: 10s
Y
  start kubelet kubelet --config="$state/kubelet.yaml" --kubeconfig="$state/pki/node.kubeconfig" \
    --hostname-override=node1 --node-ip="$address" --root-dir="$state/kubelet" --cert-dir="$state/kubelet-pki"
}
# A node that was lost says Unknown until the new kubelet has reported.
kubelet_ready() { grep -qw Ready <<<"$(kubectl get node node1)" && advertise_gpus; }

# The documented way to advertise an extended resource without a device plugin: the scheduler counts
# GPUs for real, though no pod computes on one. A kubelet forgets them when it starts.
advertise_gpus() {
  kubectl patch node node1 --subresource=status --type=merge \
    -p "{\"status\":{\"capacity\":{\"nvidia.com/gpu\":\"${ATTRIUM_CLUSTER_GPUS:-2}\"}}}"
}

start_proxy() {
  cat >"$state/proxy.yaml" <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $state/pki/proxy.kubeconfig}
clusterCIDR: $pods
mode: iptables
conntrack: {maxPerCore: 0}
Y
  start proxy kube-proxy --config="$state/proxy.yaml" --hostname-override=node1
}
proxy_ready() { curl -sf http://127.0.0.1:10256/livez; }

# It runs beside the cluster and answers for it at the address of the service kube-dns.
start_coredns() {
  cat >"$state/Corefile" <<Y
.:5353 {
  bind $address
  ready $address:8181
  kubernetes cluster.local {
    kubeconfig $state/pki/admin.kubeconfig
  }
}
Y
  start coredns coredns -conf "$state/Corefile"
}
coredns_ready() { curl -sf "http://$address:8181/ready"; }

# Two servers for the same buckets: one speaks plain HTTP, the other HTTPS with an authority of its own.
s3_server() { # name port [flag...]
  local name=$1 port=$2
  shift 2
  ROOT_ACCESS_KEY=attrium ROOT_SECRET_KEY=attrium-test \
    start "$name" versitygw --quiet --port "$address:$port" --health /health "$@" posix "$state/s3"
}
start_s3() { s3_server s3 7070; }
s3_ready() { curl -sf "http://$address:7070/health"; }
start_s3-tls() { s3_server s3-tls 7071 --cert "$state/pki/s3.crt" --key "$state/pki/s3.key"; }
s3-tls_ready() { curl -sf --cacert "$state/pki/s3-ca.crt" "https://$address:7071/health"; }
