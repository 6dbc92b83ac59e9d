{{/*
The pod of a service. Arguments: root, service, port and its name, fixed (settings that the chart decides),
args, volumes and mounts besides those of all.
*/}}
{{- define "pointsman.pod" -}}
{{- $root := .root -}}
{{- $values := get $root.Values (include "pointsman.valuesKey" .) -}}
metadata:
  labels:
    {{- include "pointsman.labels" . | nindent 4 }}
    {{- with $root.Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: {{ .service }}
    {{- with $root.Values.secrets.values }}
    {{- /* Environments are read once: a changed secret starts pods anew. */}}
    checksum/secret: {{ toJson . | sha256sum }}
    {{- end }}
    {{- with $root.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "pointsman.serviceAccount" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "pointsman.graceSeconds" . }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  {{- with $root.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.topologyKeys }}
  topologySpreadConstraints:
    {{- range . }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "pointsman.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ .service }}
      image: {{ include "pointsman.image" . }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      {{- with .args }}
      args: {{ toJson . }}
      {{- end }}
      env:
        {{- include "pointsman.env" . | nindent 8 }}
      ports:
        - { name: {{ .portName }}, containerPort: {{ .port }} }
      startupProbe:
        httpGet: { path: /healthz, port: {{ .portName }} }
        periodSeconds: 2
        timeoutSeconds: 5
        failureThreshold: 60
      {{- /* Whether others are away is no reason to be killed: only a process that answers nothing for a minute is. */}}
      livenessProbe:
        httpGet: { path: /healthz, port: {{ .portName }} }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /readyz, port: {{ .portName }} }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      {{- if eq .service "controller" }}
      {{- /* Until all have heard that it is no longer behind its Service. */}}
      lifecycle:
        preStop: { sleep: { seconds: 5 } }
      {{- end }}
      resources: {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        {{- range .mounts }}
        - {{ toJson . }}
        {{- end }}
        {{- if $root.Values.trust }}
        - { name: trust, mountPath: /etc/pointsman/trust, readOnly: true }
        {{- end }}
        {{- with $root.Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - { name: tmp, emptyDir: { sizeLimit: 256Mi } }
    {{- range .volumes }}
    - {{ toJson . }}
    {{- end }}
    {{- with $root.Values.trust }}
    - name: trust
      {{- $items := list (dict "key" .key "path" "ca.crt") }}
      {{- if .secret }}
      secret: {{ dict "secretName" .secret "items" $items | toJson }}
      {{- else }}
      configMap: {{ dict "name" .configMap "items" $items | toJson }}
      {{- end }}
    {{- end }}
    {{- with $root.Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
