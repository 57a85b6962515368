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

{{/* The reference of the image with a repository: include "attrium.imageOf" (list . .Values.image.repository) */}}
{{- define "attrium.imageOf" -}}
{{- $root := index . 0 }}
{{- printf "%s/%s:%s" $root.Values.image.registry (index . 1) (default $root.Chart.AppVersion $root.Values.image.tag) }}
{{- end }}

{{- define "attrium.image" -}}
{{ include "attrium.imageOf" (list . .Values.image.repository) }}
{{- end }}

{{/* The PriorityClass of the operator's pods, or nothing. */}}
{{- define "attrium.priorityClassName" -}}
{{- if .Values.priorityClass.create }}
{{- default (include "attrium.fullname" .) .Values.priorityClass.name }}
{{- else }}
{{- .Values.priorityClass.name }}
{{- end }}
{{- end }}
