#!/usr/bin/env bash
exec java ${KAFKA_HEAP_OPTS:--Xmx256M} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError \
  -Dlog4j2.configurationFile=/etc/kafka/docker/log4j2.properties -Dkafka.logs.dir=/opt/kafka/logs ${KAFKA_OPTS-} \
  -cp '/opt/kafka/libs/*' "$@"
