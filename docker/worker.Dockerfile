# The worker: takes jobs from the queue and launches scorers on a container engine. Never opens a participant's file.
#
#   docker build -f docker/worker.Dockerfile -t gsi-worker .
#
# Pin BASE_IMAGE by its digest for anything that serves in public: docs/operations.md, "Container images".
ARG BASE_IMAGE=python:3.11-slim-bookworm
ARG BUILD_IMAGE=${BASE_IMAGE}

FROM ${BUILD_IMAGE} AS packages
ENV VIRTUAL_ENV=/opt/gsi UV_NO_CACHE=1 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /src
RUN command -v uv >/dev/null || python3 -m pip install --no-cache-dir uv
# The packages that we use. Our own lies beside them and is found by a path file.
COPY constraints.txt pyproject.toml ./
RUN uv venv --quiet --python "$(command -v python3)" /opt/gsi && \
    uv pip install --quiet --constraint constraints.txt --requirements pyproject.toml --extra server && \
    echo /opt/ours > "$(echo /opt/gsi/lib/python3*/site-packages)/ours.pth"

FROM packages AS ours
COPY README.md LICENSE ./
COPY server/ server/
COPY scorer/ scorer/
RUN uv pip install --quiet --no-deps --compile-bytecode --target /opt/ours .

FROM ${BASE_IMAGE}
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin gsi
COPY --from=packages /opt/gsi /opt/gsi
# Byte-code of what every start loads, the standard library's too: later the file system is read-only.
RUN /opt/gsi/bin/python -c "import boto3, celery.bin.celery, docker, fastapi, psycopg_pool, pydantic_settings, redis, uvicorn"
COPY --from=ours /opt/ours /opt/ours
# Last, because a revision is another each time, and what lies above it is used again.
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="GSI-Bench worker" \
      org.opencontainers.image.description="The worker of the GSI-Bench leaderboard: launches scorers in containers." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/gsi/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
# Asks the worker over the broker: a worker that lost its broker is not healthy.
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s \
    CMD ["sh", "-c", "celery --app server.worker.main inspect ping --destination celery@$(cat /etc/hostname) --timeout 10"]
CMD ["celery", "--app", "server.worker.main", "worker", "--queues", "gsi-short,gsi-score", "--concurrency", "1", "--loglevel", "INFO"]
