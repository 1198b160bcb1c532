# SpeedData in a container; docs/docker.md tells how to run it. Pinned by version; who wants the same bytes for ever appends
# @sha256:... of the image to each FROM, which `docker buildx imagetools inspect` tells.

# The full image has the compiler that the relay's modules need; it is of the same Debian and Python as the slim one.
FROM python:3.12.12-bookworm AS builder
WORKDIR /source
COPY tools/image-requirements.txt tools/
RUN python -m pip install --no-cache-dir setuptools==84.2.1 Cython==3.3.1 \
    && python -m venv /opt/speeddata \
    && /opt/speeddata/bin/python -m pip install --no-cache-dir --requirement tools/image-requirements.txt
COPY . .
RUN python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/speeddata/bin/python -m pip install --no-cache-dir --no-index --no-deps --find-links /wheels speeddata \
    && /opt/speeddata/bin/python -m pip check

FROM python:3.12.12-slim-bookworm
# A number of its own, that nobody on the host is likely to have: it owns what is in the volume.
RUN groupadd --gid 10001 speeddata \
    && useradd --uid 10001 --gid speeddata --home-dir /data --no-create-home --shell /usr/sbin/nologin speeddata \
    && install -d -o speeddata -g speeddata -m 0700 /data
COPY --from=builder /opt/speeddata /opt/speeddata
ENV PATH=/opt/speeddata/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080 8081 8000
# Everything received is brought to the disk before it ends.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["speeddata"]
CMD ["run", "--data", "/data"]
