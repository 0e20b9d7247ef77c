# The scorer: one job, then it ends. Files in at /input, files out at /output; see scorer/__main__.py.
#
#   docker build -f docker/scorer.Dockerfile -t gsi-scorer .                                     CPU
#   docker build -f docker/scorer.Dockerfile -t gsi-scorer:cuda --build-arg TORCH_BACKEND=cu128 .    CUDA
#
# Pin BASE_IMAGE by its digest for anything that scores in public: docs/operations.md, "Container images".
ARG BASE_IMAGE=python:3.11-slim-bookworm
ARG BUILD_IMAGE=${BASE_IMAGE}

FROM ${BUILD_IMAGE} AS build
ARG TORCH_BACKEND=cpu
ENV VIRTUAL_ENV=/opt/gsi UV_NO_CACHE=1 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /src
RUN command -v uv >/dev/null || python3 -m pip install --no-cache-dir uv
RUN uv venv --python "$(command -v python3)" /opt/gsi
# torch first and pinned, as ./gsi does it: from a wheel in docker/wheels/ where one lies there.
COPY constraints.txt ./
COPY docker/wheels/ /wheels/
RUN if ls /wheels/torch-*.whl >/dev/null 2>&1; \
    then uv pip install --find-links /wheels --constraint constraints.txt torch; \
    else uv pip install --torch-backend="${TORCH_BACKEND}" --constraint constraints.txt torch; fi
COPY pyproject.toml ./
RUN uv pip install --find-links /wheels --constraint constraints.txt --requirements pyproject.toml --extra scorer
# Of our own packages the scorer alone. Byte-code for all, because the file system is read-only when it runs; a few
# packages ship templates that are no Python, which is no reason to end.
COPY README.md LICENSE ./
COPY scorer/ scorer/
RUN uv pip install --no-deps . && { /opt/gsi/bin/python -m compileall -q -j 0 /opt/gsi/lib >/dev/null || true; }

FROM ${BASE_IMAGE}
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin gsi
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="GSI-Bench scorer" \
      org.opencontainers.image.description="Scores one submission's images from files to a report, with no network and no secrets." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/gsi /opt/gsi
ENV PATH=/opt/gsi/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
# A job says how it is by its progress lines and its exit code; nobody would ask a health check.
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m", "scorer"]
