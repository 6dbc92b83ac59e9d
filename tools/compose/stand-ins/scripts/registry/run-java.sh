#!/usr/bin/env bash
# The variables of the base image of apicurio/apicurio-registry.
exec java ${JAVA_OPTIONS-} ${JAVA_OPTS-} ${JAVA_OPTS_APPEND-} -jar /deployments/quarkus-run.jar "$@"
