{{- define "headframe.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "headframe.selector" -}}
app.kubernetes.io/name: headframe
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "headframe.labels" -}}
{{ include "headframe.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "headframe.image" -}}
{{- with .Values.image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}{{ end }}
{{- end }}

{{- /* What each pod of the service is, whatever it runs. */}}
{{- define "headframe.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "headframe.container" -}}
image: {{ include "headframe.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* Settings of all: {root, own (a map), secrets (names of keys by secret)}. */}}
{{- define "headframe.environment" -}}
{{- $settings := mergeOverwrite (dict "NODE_ENV" "production" "MIGRATE" "false") (deepCopy .root.Values.environment) .own }}
{{- range $name := keys $settings | sortAlpha }}
{{- $value := get $settings $name }}
{{- /* Helm takes whole numbers for floating ones, and would write 8388608 as 8.388608e+06. */}}
{{- if kindIs "float64" $value }}{{ $value = int64 $value }}{{ end }}
- {name: {{ $name }}, value: {{ $value | toString | quote }}}
{{- end }}
{{- $database := list "DATABASE_URL" "DATABASE_API_URL" }}
{{- if .root.Values.pooler }}{{ $database = append $database "DATABASE_DIRECT_URL" }}{{ end }}
{{- range $database }}
- name: {{ . }}
  valueFrom: {secretKeyRef: {name: {{ $.root.Values.secrets.database }}, key: {{ . }}}}
{{- end }}
{{- end }}

{{- define "headframe.ports" -}}
- {name: http, containerPort: 3000, protocol: TCP}
{{- if .Values.metrics.enabled }}
- {name: metrics, containerPort: {{ .Values.metrics.port }}, protocol: TCP}
{{- end }}
{{- end }}

{{- /* Live, not ready, decides on a restart: that cures a process that hangs, not a database that is away. */}}
{{- define "headframe.probes" -}}
startupProbe:
  httpGet: {path: /health/live, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /health/live, port: http}
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
readinessProbe:
  httpGet: {path: /health/ready, port: http}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{- define "headframe.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* A pattern topic/task of WORKER_TASKS as regular expressions, for topic and task. */}}
{{- define "headframe.waitingMetric" -}}
{{- $sums := list }}
{{- range splitList "," . }}
{{- $parts := splitList "/" (trim .) }}
{{- $topic := index $parts 0 | replace "*" ".*" }}
{{- $task := index $parts 1 | replace "*" ".*" }}
{{- $sums = append $sums (printf "headframe_jobs{state=\"waiting\",topic=~\"%s\",task=~\"%s\"}" $topic $task) }}
{{- end -}}
sum(max by (topic, task) ({{ join " or " $sums }})) or vector(0)
{{- end }}

{{- define "headframe.waitingQuery" -}}
{{- $patterns := list }}
{{- range splitList "," .tasks }}
{{- $patterns = append $patterns (printf "topic || '/' || task LIKE '%s'" (trim . | replace "*" "%")) }}
{{- end -}}
SELECT count(*) FROM (SELECT 1 FROM job_queue WHERE run_after IS NULL AND ({{ join " OR " $patterns }}) LIMIT {{ mul .autoscaling.waitingJobs .autoscaling.maxReplicas }}) AS waiting
{{- end }}
