{{/* Secrets that a service reads: those that it cannot start without, and all. Argument: service. */}}
{{- define "pointsman.secretsNeeded" -}}
{{- if eq .service "producer" -}}
{{- else if eq .service "controller" -}}
REDIS_URL OPENAI_API_KEY POINTSMAN_API_TOKEN
{{- else -}}
REDIS_URL OPENAI_API_KEY
{{- end -}}
{{- end -}}

{{- define "pointsman.secretsRead" -}}
KAFKA_SASL_USERNAME KAFKA_SASL_PASSWORD SCHEMA_REGISTRY_USERNAME SCHEMA_REGISTRY_PASSWORD
{{- if ne .service "producer" }} REDIS_URL WEAVIATE_API_KEY OPENAI_API_KEY{{ end -}}
{{- if eq .service "controller" }} POINTSMAN_API_TOKEN{{ end -}}
{{- end -}}

{{/*
Secret and key that hold a name, as JSON; empty when nothing does. Of `existing` it is not known what it holds, so what can
be done without is optional there. Argument: root, setting.
*/}}
{{- define "pointsman.secretKey" -}}
{{- $secrets := .root.Values.secrets -}}
{{- if hasKey $secrets.from .setting -}}
{{- toJson (get $secrets.from .setting) -}}
{{- else if hasKey $secrets.values .setting -}}
{{- dict "name" (include "pointsman.fullname" .root) "key" .setting | toJson -}}
{{- else if $secrets.existing -}}
{{- $always := splitList " " (include "pointsman.secretsNeeded" (dict "service" "controller")) -}}
{{- dict "name" $secrets.existing "key" .setting "optional" (not (has .setting $always)) | toJson -}}
{{- end -}}
{{- end -}}

{{/* How long a service may take to stop, with what it takes to tell others, in ms. Argument: root, service. */}}
{{- define "pointsman.graceSeconds" -}}
{{- $own := (get .root.Values (include "pointsman.valuesKey" .)).config -}}
{{- $default := get (dict "controller" 5000 "producer" 10000 "embedder-realtime" 8000 "embedder-batch" 8000) .service -}}
{{- $graceMs := int64 (get $own "SHUTDOWN_GRACE_MS" | default .root.Values.config.SHUTDOWN_GRACE_MS | default $default) -}}
{{- $extraMs := hasPrefix "embedder-" .service | ternary 10000 0 -}}
{{- /* 5 seconds for the hook that waits, and 2 in hand. */ -}}
{{- div (add $graceMs $extraMs 999) 1000 | add 7 -}}
{{- end -}}

{{/* The environment of a service. Argument: root, service, fixed: what the chart itself decides. */}}
{{- define "pointsman.env" -}}
{{- $root := .root -}}
{{- $service := .service -}}
{{- $own := (get $root.Values (include "pointsman.valuesKey" .)).config -}}
- name: POINTSMAN_INSTANCE
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
{{- range $name, $value := mergeOverwrite (deepCopy $root.Values.config) (deepCopy $own) .fixed }}
{{- if not (kindIs "invalid" $value) }}
- name: {{ $name }}
  {{- /* Not toString: 100000000 would become 1e+08. */}}
  value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
{{- end }}
{{- end }}
{{- $needed := splitList " " (include "pointsman.secretsNeeded" .) }}
{{- range $setting := splitList " " (include "pointsman.secretsRead" .) }}
{{- $found := include "pointsman.secretKey" (dict "root" $root "setting" $setting) }}
{{- if $found }}
- name: {{ $setting }}
  valueFrom:
    secretKeyRef: {{ $found }}
{{- else if has $setting $needed }}
{{- fail (printf "%s of %s is in no Secret: set secrets.existing, secrets.from.%s or secrets.values.%s" $setting $service $setting $setting) }}
{{- end }}
{{- end }}
{{- if $root.Values.trust }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/pointsman/trust/ca.crt
{{- end }}
{{- with $root.Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
