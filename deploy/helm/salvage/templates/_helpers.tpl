{{/* The name of all objects: the release's, with the chart's unless that says it already. */}}
{{- define "salvage.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "salvage.image" -}}
{{- $name := required "image.repository is required: make the image with scripts/image, push it to your registry, and name it here, as in --set image.repository=registry.example/tools/salvage" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $name .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Arguments of these: (list $ "watch") */}}
{{- define "salvage.selector" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ $.Chart.Name }}
app.kubernetes.io/instance: {{ $.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "salvage.labels" -}}
{{- $ := index . 0 -}}
{{ include "salvage.selector" . }}
app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version }}
{{- end -}}

{{- define "salvage.account" -}}
{{- $ := index . 0 -}}
{{- $account := (index $.Values (index . 1)).serviceAccount -}}
{{- if $account.create -}}
{{- $account.name | default (printf "%s-%s" (include "salvage.name" $) (index . 1)) -}}
{{- else -}}
{{- required (printf "%s.serviceAccount.name is required where the chart makes none" (index . 1)) $account.name -}}
{{- end -}}
{{- end -}}

{{/* The environment of a component as a map: the store's settings, then its options, which take precedence. */}}
{{- define "salvage.settings" -}}
{{- $ := index . 0 -}}
{{- $component := index . 1 -}}
{{- $settings := dict -}}
{{- $_ := include "salvage.image" $ -}}{{/* what is missing first is said first */}}
{{- if ne $component "serve" -}}
{{- $_ := set $settings "SALVAGE_TO" (required (printf "store.url is required: where %s ships to, as in s3://evidence/prod" $component) $.Values.store.url) -}}
{{- else if eq $.Values.serve.mode "bucket" -}}
{{- $_ := set $settings "SALVAGE_FROM" (required "serve.from is required for serve.mode bucket, as in s3://evidence/prod" $.Values.serve.from) -}}
{{- end -}}
{{- if or (ne $component "serve") (eq $.Values.serve.mode "bucket") -}}
{{- with $.Values.store.region -}}
{{- $_ := set $settings (ternary "SALVAGE_REGION" "AWS_REGION" (hasPrefix "obs:" (get $settings (ternary "SALVAGE_FROM" "SALVAGE_TO" (eq $component "serve"))))) . -}}
{{- end -}}
{{- with $.Values.store.endpoint }}{{ $_ := set $settings "SALVAGE_ENDPOINT" . }}{{ end -}}
{{- if $.Values.store.caSecret }}{{ $_ := set $settings "SALVAGE_CA_FILE" "/store-ca/ca.crt" }}{{ end -}}
{{- end -}}
{{- range $name, $value := (index $.Values $component).env -}}
{{- $_ := set $settings $name (toString $value) -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{- define "salvage.storeSecret" -}}
{{- if .Values.store.existingSecret -}}
{{- .Values.store.existingSecret -}}
{{- else if .Values.store.credentials -}}
{{- include "salvage.name" . }}-store
{{- end -}}
{{- end -}}

{{/* envFrom: the ConfigMap, and the Secret with the store's keys if there is one. */}}
{{- define "salvage.envFrom" -}}
{{- $ := index . 0 -}}
{{- $component := index . 1 -}}
{{- if ne (include "salvage.settings" .) "{}" }}
- configMapRef: {name: {{ include "salvage.name" $ }}-{{ $component }}}
{{- end }}
{{- if or (ne $component "serve") (eq $.Values.serve.mode "bucket") }}
{{- with include "salvage.storeSecret" $ }}
- secretRef: {name: {{ . }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* A change of settings rolls out. What lies in Secrets of others is theirs to roll out. */}}
{{- define "salvage.annotations" -}}
{{- $ := index . 0 -}}
checksum/settings: {{ printf "%s%s" (include "salvage.settings" .) (toJson $.Values.store.credentials) | sha256sum }}
{{- end -}}

{{/* The fields of a pod's spec that all node agents have. */}}
{{- define "salvage.agentPod" -}}
{{- $ := index . 0 -}}
{{- $agent := index $.Values (index . 1) -}}
serviceAccountName: {{ include "salvage.account" . }}
automountServiceAccountToken: false
# A Service called salvage would give variables that look like options.
enableServiceLinks: false
{{- with $.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $agent.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  seccompProfile: {type: RuntimeDefault}
  {{- if $.Values.openshift.scc }}
  seLinuxOptions: {type: spc_t}
  {{- end }}
{{- with $.Values.agents.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $.Values.agents.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $.Values.agents.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The fields of a DaemonSet above its pods' spec. */}}
{{- define "salvage.agentSet" -}}
{{- $ := index . 0 -}}
selector:
  matchLabels: {{- include "salvage.selector" . | nindent 4 }}
updateStrategy:
  type: RollingUpdate
  rollingUpdate: {maxUnavailable: {{ $.Values.agents.maxUnavailable }}}
{{- end -}}

{{- define "salvage.agentMeta" -}}
{{- $ := index . 0 -}}
labels:
  {{- include "salvage.selector" . | nindent 2 }}
  {{- with $.Values.agents.podLabels }}{{ toYaml . | nindent 2 }}{{ end }}
annotations:
  {{- include "salvage.annotations" . | nindent 2 }}
  {{- with $.Values.agents.podAnnotations }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end -}}

{{- define "salvage.nodeName" -}}
- name: NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
{{- end -}}
