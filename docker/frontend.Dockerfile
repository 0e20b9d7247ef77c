# The website. Speaks to the API at GSI_API_URL, and passes /api on to it so that browsers stay on one address.
#
#   docker build -f docker/frontend.Dockerfile -t gsi-frontend .
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
    uv pip install --quiet --constraint constraints.txt --requirements pyproject.toml --extra frontend && \
    echo /opt/ours > "$(echo /opt/gsi/lib/python3*/site-packages)/ours.pth"

FROM packages AS ours
COPY README.md LICENSE ./
COPY scorer/ scorer/
COPY frontend/ frontend/
RUN uv pip install --quiet --no-deps --compile-bytecode --target /opt/ours .

FROM ${BASE_IMAGE}
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin gsi
COPY --from=packages /opt/gsi /opt/gsi
# Byte-code of what every start loads, the standard library's too: later the file system is read-only.
RUN /opt/gsi/bin/python -c "import gradio, httpx, jinja2, PIL.Image, typer, uvicorn"
COPY --from=ours /opt/ours /opt/ours
# Last, because a revision is another each time, and what lies above it is used again.
ARG REVISION=unknown
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="GSI-Bench frontend" \
      org.opencontainers.image.description="The website of the GSI-Bench leaderboard." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/gsi/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    GSI_SITE_HOST=0.0.0.0 GSI_SITE_PORT=7860
USER 10001:10001
WORKDIR /tmp
EXPOSE 7860
# Any answer will do: what the API has to say is the API's health.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 7860, timeout=4); c.request('GET', '/api/health'); c.getresponse()"]
CMD ["python", "-m", "frontend"]
