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

{{/* The environment of serve as a map: the store's settings, then its options, which take precedence. */}}
{{- define "salvage.settings" -}}
{{- $settings := dict -}}
{{- $_ := include "salvage.image" . -}}{{/* what is missing first is said first */}}
{{- if eq .Values.serve.mode "bucket" -}}
{{- $from := required "serve.from is required for serve.mode bucket, as in s3://evidence/prod" .Values.serve.from -}}
{{- $_ := set $settings "SALVAGE_FROM" $from -}}
{{- with .Values.store.region -}}
{{- $_ := set $settings (ternary "SALVAGE_REGION" "AWS_REGION" (hasPrefix "obs:" $from)) . -}}
{{- end -}}
{{- with .Values.store.endpoint }}{{ $_ := set $settings "SALVAGE_ENDPOINT" . }}{{ end -}}
{{- if .Values.store.caSecret }}{{ $_ := set $settings "SALVAGE_CA_FILE" "/store-ca/ca.crt" }}{{ end -}}
{{- end -}}
{{- range $name, $value := .Values.serve.env -}}
{{- $_ := set $settings $name (toString $value) -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end -}}

{{/* The destination "store" of agents, if there is no other. */}}
{{- define "salvage.nodeStore" -}}
{{- $_ := include "salvage.image" . -}}
{{- $url := required "store.url is required: where agents ship to, as in s3://evidence/prod" .Values.store.url -}}
{{- $store := dict "url" $url -}}
{{- with .Values.store.region }}{{ $_ := set $store "region" . }}{{ end -}}
{{- with .Values.store.endpoint }}{{ $_ := set $store "endpoint" . }}{{ end -}}
{{- if .Values.store.caSecret }}{{ $_ := set $store "ca-file" "/etc/salvage/store-ca/ca.crt" }}{{ end -}}
{{- if include "salvage.storeSecret" . }}{{ $_ := set $store "credentials" (ternary "/etc/salvage/store/token" "/etc/salvage/store" (hasPrefix "http" $url)) }}{{ end -}}
{{- toYaml $store -}}
{{- end -}}

{{/* node.yaml: what is given, and what the chart knows. */}}
{{- define "salvage.nodeConfig" -}}
{{- $config := deepCopy .Values.node.config -}}
{{- $destinations := $config.destinations | default dict -}}
{{- if not $destinations -}}
{{- $destinations = dict "store" (include "salvage.nodeStore" . | fromYaml) -}}
{{- end -}}
{{- $_ := set $config "destinations" $destinations -}}
{{- $_ := set $config "state" "/state" -}}
{{- $_ := set $config "grace" (printf "%vs" .Values.node.graceSeconds) -}}
{{- if .Values.metrics.node }}{{ $_ := set $config "metrics" (printf ":%v" .Values.metrics.port) }}{{ end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Whether a part of the configuration is on, at the top or in a rule: (list $ "guard"). */}}
{{- define "salvage.nodeHas" -}}
{{- $config := (index . 0).Values.node.config -}}
{{- $part := index . 1 -}}
{{- $found := index $config $part -}}
{{- range $config.rules }}{{ if index . $part }}{{ $found = true }}{{ end }}{{ end -}}
{{- if $found }}yes{{ end -}}
{{- end -}}

{{/* Cores: the folders of the host that the handler has; nothing if the key is missing. With false, the handler is taken back. */}}
{{- define "salvage.nodeCores" -}}
{{- $cores := .Values.node.config.cores -}}
{{- if not (kindIs "invalid" $cores) -}}
{{- $given := ternary $cores dict (kindIs "map" $cores) -}}
dir: {{ $given.dir | default "/var/lib/salvage/core" }}
{{- with $given.spool }}
spool: {{ . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Folders in pods that an annotation names, and folders that pods mount. */}}
{{- define "salvage.nodeVolumes" -}}
{{- with .Values.node.config.watch }}{{ if .volumes }}yes{{ end }}{{ end -}}
{{- end -}}
{{- define "salvage.nodeTrees" -}}
{{- with .Values.node.config.watch }}{{ if .trees }}yes{{ end }}{{ end -}}
{{- end -}}

{{/* What the agent may do that an ordinary process may not. */}}
{{- define "salvage.nodeCapabilities" -}}
{{- $capabilities := list -}}
{{- if .Values.node.config.watch -}}
{{- $capabilities = list "DAC_OVERRIDE" "FOWNER" "LEASE" -}}
{{- end -}}
{{- if include "salvage.nodeVolumes" . -}}
{{- $capabilities = append $capabilities "SYS_PTRACE" -}}
{{- end -}}
{{- if or .Values.node.config.requests (include "salvage.nodeHas" (list . "arm")) -}}
{{- $capabilities = concat $capabilities (list "DAC_OVERRIDE" "SYS_PTRACE" "SETUID" "SETGID") | uniq -}}
{{- end -}}
{{- if include "salvage.nodeHas" (list . "guard") -}}
{{- $capabilities = concat $capabilities (list "DAC_OVERRIDE" "SYS_PTRACE" "SETUID" "SETGID" "IPC_LOCK") | uniq -}}
{{- $actions := toJson .Values.node.config -}}
{{- if contains "\"signal:" $actions }}{{ $capabilities = append $capabilities "KILL" }}{{ end -}}
{{- if contains "\"get:" $actions }}{{ $capabilities = append $capabilities "SYS_ADMIN" }}{{ end -}}
{{- end -}}
{{- toYaml $capabilities -}}
{{- end -}}

{{- define "salvage.storeSecret" -}}
{{- if .Values.store.existingSecret -}}
{{- .Values.store.existingSecret -}}
{{- else if .Values.store.credentials -}}
{{- include "salvage.name" . }}-store
{{- end -}}
{{- end -}}
