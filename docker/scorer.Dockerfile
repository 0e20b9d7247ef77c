# The scorer: one job, then it ends. Files in at /input, files out at /output; see scorer/__main__.py.
#
#   docker build -f docker/scorer.Dockerfile -t gsi-scorer .                                         CPU
#   docker build -f docker/scorer.Dockerfile -t gsi-scorer:cuda --build-arg TORCH_BACKEND=cu128 .    CUDA
#
# Pin BASE_IMAGE by its digest for anything that scores in public: docs/operations.md, "Container images".
ARG BASE_IMAGE=python:3.11-slim-bookworm
ARG BUILD_IMAGE=${BASE_IMAGE}

FROM ${BUILD_IMAGE} AS packages
ARG TORCH_BACKEND=cpu
ENV VIRTUAL_ENV=/opt/gsi UV_NO_CACHE=1 SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /src
RUN command -v uv >/dev/null || python3 -m pip install --no-cache-dir uv
# torch first and pinned, as ./gsi does it: from a wheel in docker/wheels/ where one lies there. Its headers and its own
# tests (200 MB) are of no use to a job.
COPY constraints.txt ./
COPY docker/wheels/ /wheels/
RUN uv venv --quiet --python "$(command -v python3)" /opt/gsi && \
    if ls /wheels/torch-*.whl >/dev/null 2>&1; \
    then uv pip install --quiet --find-links /wheels --constraint constraints.txt torch; \
    else uv pip install --quiet --torch-backend="${TORCH_BACKEND}" --constraint constraints.txt torch; fi && \
    cd /opt/gsi/lib/python3*/site-packages/torch && rm -rf include test bin/*[Tt]est* bin/protoc*
# Then the rest. Our own package lies beside it and is found by a path file.
COPY pyproject.toml ./
RUN uv pip install --quiet --find-links /wheels --constraint constraints.txt --requirements pyproject.toml --extra scorer && \
    echo /opt/ours > "$(echo /opt/gsi/lib/python3*/site-packages)/ours.pth"

FROM packages AS ours
COPY README.md LICENSE ./
COPY scorer/ scorer/
RUN uv pip install --quiet --no-deps --compile-bytecode --target /opt/ours .

FROM ${BASE_IMAGE}
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin gsi
COPY --from=packages /opt/gsi /opt/gsi
# Byte-code of what every start loads, the standard library's too: later the file system is read-only. Some load their
# parts only when they are used: these are compiled whole.
RUN /opt/gsi/bin/python -c "import cv2, encodings.utf_16_be, httpx, json, logging.config, PIL.Image, pydantic, safetensors.torch, scipy.ndimage, scipy.optimize, torch, typer, zipfile, zoneinfo; PIL.Image.init()" && \
    /opt/gsi/bin/python -m compileall -q /opt/gsi/lib/python3*/site-packages/pydantic /opt/gsi/lib/python3*/site-packages/annotated_types
COPY --from=ours /opt/ours /opt/ours
# Last, because a revision is another each time, and what lies above it is used again.
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="GSI-Bench scorer" \
      org.opencontainers.image.description="Scores a submission's images: files in, a report out, no network, no secrets." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/gsi/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
# A job says how it is by its progress lines and its exit code, and its worker watches both.
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m", "scorer"]
