{{/* The chart's name. */}}
{{- define "attrium.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of every object of a release. */}}
{{- define "attrium.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "attrium.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "attrium.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "attrium.labels" -}}
{{ include "attrium.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "attrium.selectorLabels" -}}
app.kubernetes.io/name: {{ include "attrium.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "attrium.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "attrium.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* An image's reference: include "attrium.reference" (list . REPOSITORY TAG DIGEST) */}}
{{- define "attrium.reference" -}}
{{- $root := index . 0 }}
{{- $registry := default $root.Values.image.registry (($root.Values.global).imageRegistry) }}
{{- $tag := default $root.Chart.AppVersion (index . 2) }}
{{- with index . 3 }}
{{- printf "%s/%s@%s" $registry (index $ 1) . }}
{{- else }}
{{- printf "%s/%s:%s" $registry (index . 1) $tag }}
{{- end }}
{{- end }}

{{/* The operator's image. */}}
{{- define "attrium.image" -}}
{{- with .Values.image }}
{{- include "attrium.reference" (list $ .repository .tag .digest) }}
{{- end }}
{{- end }}

{{/* The image of tasks that hold a GPU. */}}
{{- define "attrium.cudaImage" -}}
{{- with .Values.image }}
{{- include "attrium.reference" (list $ .cudaRepository .tag .cudaDigest) }}
{{- end }}
{{- end }}

{{/* The image of tasks on processors: the operator's but for what is said of it. */}}
{{- define "attrium.taskImage" -}}
{{- $task := .Values.tasks.image }}
{{- $same := not (or $task.repository $task.tag $task.digest) }}
{{- $digest := ternary .Values.image.digest $task.digest $same }}
{{- include "attrium.reference" (list . (default .Values.image.repository $task.repository) (default .Values.image.tag $task.tag) $digest) }}
{{- end }}

{{/* The pull secrets of the chart's pods, as YAML, or nothing. */}}
{{- define "attrium.pullSecrets" -}}
{{- $secrets := list }}
{{- range concat (default list ((.Values.global).imagePullSecrets)) .Values.image.pullSecrets }}
{{- $secrets = append $secrets (ternary . (dict "name" .) (kindIs "map" .)) }}
{{- end }}
{{- with uniq $secrets }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{/* The PriorityClass of the operator's pods, or nothing. */}}
{{- define "attrium.priorityClassName" -}}
{{- if .Values.priorityClass.create }}
{{- default (include "attrium.fullname" .) .Values.priorityClass.name }}
{{- else }}
{{- .Values.priorityClass.name }}
{{- end }}
{{- end }}
