{{/*
What the operator may do where it watches: no Secrets, and no verb that it does not use.
*/}}
{{- define "attrium.rules" -}}
- apiGroups: [attrium.dev]
  resources: [trainingruns, screeningjobs]
  verbs: [get, list, watch, delete]
- apiGroups: [attrium.dev]
  resources: [trainingruns/status, screeningjobs/status]
  verbs: [patch]
# Asked for by clusters that check who may set blockOwnerDeletion.
- apiGroups: [attrium.dev]
  resources: [trainingruns/finalizers, screeningjobs/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create]
# Whether a namespace is being deleted, whose Jobs would keep it from its end.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch, list]
# Kueue's reason for a run that waits in a queue.
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads]
  verbs: [list]
{{- end }}
