{{/* The name of everything of this release's. */}}
{{- define "certmail.name" -}}
{{- if contains "certmail" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-certmail" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "certmail.image" -}}
{{- $image := .Values.image -}}
{{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* What selects the pods of a process: (dict "root" $ "process" "worker"). */}}
{{- define "certmail.selector" -}}
app.kubernetes.io/name: certmail
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .process }}
{{- end }}

{{- define "certmail.labels" -}}
{{ include "certmail.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* The secrets that a process needs, by setting: what NOT_FOR in processes/children.py withholds is not among them. */}}
{{- define "certmail.secrets" -}}
{{- $all := .root.Values.secrets -}}
{{- $redis := get $all (printf "%sRedisUrl" .process) | default dict -}}
{{- $given := dict "REDIS_URL" (ternary $redis $all.redisUrl (ne (get $redis "name" | default "") "")) -}}
{{- if ne .process "flower" -}}
{{- $_ := set $given "DATABASE_URL" $all.databaseUrl -}}
{{- $_ := set $given "VAULT_KEYS" $all.vaultKeys -}}
{{- if $all.oauthClientSecret.name }}{{ $_ := set $given "OAUTH_CLIENT_SECRET" $all.oauthClientSecret }}{{ end -}}
{{- if $all.googleProxy.name }}{{ $_ := set $given "GOOGLE_PROXY" $all.googleProxy }}{{ end -}}
{{- end -}}
{{- if eq .process "gateway" -}}
{{- if $all.operatorPassword.name }}{{ $_ := set $given "OPERATOR_PASSWORD" $all.operatorPassword }}{{ end -}}
{{- if $all.operatorOauthClientSecret.name }}{{ $_ := set $given "OPERATOR_OAUTH_CLIENT_SECRET" $all.operatorOauthClientSecret }}{{ end -}}
{{- end -}}
{{- if eq .process "flower" }}{{ $_ := set $given "FLOWER_BASIC_AUTH" $all.flowerBasicAuth }}{{ end -}}
{{- if eq .process "migrations" }}{{ $given = dict "DATABASE_URL" $all.databaseUrl }}{{ end -}}
{{ toJson $given }}
{{- end }}

{{- define "certmail.environment" -}}
{{- range $name, $value := .root.Values.settings }}
- name: CERTMAIL_{{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- range $name := keys (include "certmail.secrets" . | fromJson) | sortAlpha }}
- name: CERTMAIL_{{ $name }}_FILE
  value: /run/certmail/{{ $name }}
{{- end }}
{{- if and .root.Values.traces.endpoint (has .process (list "worker" "gateway")) }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .root.Values.traces.endpoint | quote }}
{{- range $name, $value := .root.Values.traces.variables }}
- name: OTEL_{{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* What all pods share: who they are, where they run, what they may. */}}
{{- define "certmail.pod" -}}
{{- $own := get .root.Values .process -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with $own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and (not $own.affinity) $own.replicas }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "certmail.selector" . | nindent 8 }}
{{- end }}
volumes:
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        {{- $secrets := include "certmail.secrets" . | fromJson }}
        {{- range $name := keys $secrets | sortAlpha }}
        {{- $secret := get $secrets $name }}
        - secret:
            name: {{ required (printf "secrets: the Secret of %s has no name" $name) $secret.name }}
            items:
              - key: {{ $secret.key }}
                path: {{ $name }}
        {{- end }}
  - name: data
    emptyDir: {sizeLimit: 64Mi}
  - name: tmp
    emptyDir: {sizeLimit: 64Mi}
  {{- with $own.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* What all containers share. */}}
{{- define "certmail.container" -}}
{{- $own := get .root.Values .process -}}
image: {{ include "certmail.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
resources:
  {{- toYaml $own.resources | nindent 2 }}
volumeMounts:
  - {name: secrets, mountPath: /run/certmail, readOnly: true}
  - {name: data, mountPath: /var/lib/certmail}
  - {name: tmp, mountPath: /tmp}
  {{- with $own.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
