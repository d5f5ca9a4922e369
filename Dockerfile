# A small image: every Python package is pinned with its hashes, scoring is in machine code, nobody is root.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
COPY docker/requirements.txt docker/build.txt /build/
# What compiles scoring reads the types of the packages that scoring imports: they are beside it too.
RUN python -m venv /opt/bsc-monitor \
    && /opt/bsc-monitor/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: -r /build/requirements.txt \
    && pip install --no-cache-dir --require-hashes --only-binary=:all: -r /build/requirements.txt \
    && pip install --no-cache-dir --require-hashes --only-binary=:all: -r /build/build.txt
COPY pyproject.toml README.md LICENSE config.toml /build/source/
COPY src /build/source/src
COPY plugins /build/source/plugins
COPY scripts/wheel /build/source/scripts/wheel
RUN PYTHON=python HATCH_BUILD_HOOKS_ENABLE=1 /build/source/scripts/wheel /build/wheels \
    && /opt/bsc-monitor/bin/pip install --no-cache-dir --no-deps --no-index /build/wheels/*.whl \
    && /opt/bsc-monitor/bin/python -m compileall -q /opt/bsc-monitor/lib

FROM python:${PYTHON}
# Pango draws the PDF reports.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/bsc-monitor --create-home bsc-monitor
COPY --from=build /opt/bsc-monitor /opt/bsc-monitor
COPY --chown=bsc-monitor config.toml /var/lib/bsc-monitor/config.toml
ENV PATH=/opt/bsc-monitor/bin:$PATH PYTHONUNBUFFERED=1
USER bsc-monitor
WORKDIR /var/lib/bsc-monitor
VOLUME /var/lib/bsc-monitor
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9877/-/healthy', timeout=2)"]
ENTRYPOINT ["bsc-monitor"]
CMD ["run"]
