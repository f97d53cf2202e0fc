# One container that does everything is the default target (`all`); `server` holds no ML framework, `trainer-NAME` no
# server. A mirror, a private index or a company's certificates reach a build as secrets and stay out of the image:
#   docker build --secret id=pip,src=pip.conf --secret id=npm,src=.npmrc --secret id=ca,src=ca.crt .
ARG BASE_IMAGE=python:3.11-slim-bookworm

# --- what every image has: an init that reaps, a user, an empty environment with the pinned pip ------------------------
FROM ${BASE_IMAGE} AS base
RUN apt-get update \
 && apt-get install --yes --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --create-home visionai \
 && install --directory --owner visionai --group visionai /data
COPY src/visionai/constraints.txt /opt/constraints.txt
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    python3 -m venv --without-pip /opt/visionai \
 && python3 -m pip --python /opt/visionai/bin/python install --no-cache-dir -c /opt/constraints.txt pip
ENV PATH=/opt/visionai/bin:$PATH PYTHONUNBUFFERED=1

# --- the wheel with the web UI in it; the part of it that trainers need; what each framework requires ------------------
FROM base AS build
WORKDIR /source
COPY . .
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    --mount=type=secret,id=npm,target=/root/.npmrc \
    pip wheel --no-cache-dir --no-deps --build-constraint /opt/constraints.txt --wheel-dir /wheels .
RUN python -m zipfile -e /wheels/visionai-*.whl /wheel \
 && mkdir -p /trainers/visionai /requirements \
 && mv /wheel/visionai/__init__.py /wheel/visionai/trainers /trainers/visionai
RUN python -c 'import pathlib, tomllib; \
    extras = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]["optional-dependencies"]; \
    [pathlib.Path(f"/requirements/{name}.txt").write_text("\n".join(["msgspec", *needs])) for name, needs in extras.items()]'

# --- a trainer of one framework: the framework, msgspec and visionai.trainers ------------------------------------------
FROM base AS trainer
ENV PYTHONPATH=/opt/trainers
COPY --from=build /trainers /opt/trainers
COPY --from=build /requirements/*.txt /opt/requirements/
USER visionai
WORKDIR /home/visionai
ENTRYPOINT ["tini", "--", "python", "-m", "visionai.trainers"]

FROM trainer AS trainer-timm
USER root
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    pip install --no-cache-dir -c /opt/constraints.txt -r /opt/requirements/timm.txt
USER visionai
CMD ["timm", "train"]

# ultralytics is AGPL-3.0: who serves this image to others owes them its source.
FROM trainer AS trainer-ultralytics
USER root
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    pip install --no-cache-dir -c /opt/constraints.txt -r /opt/requirements/ultralytics.txt
USER visionai
CMD ["ultralytics", "train"]

FROM trainer AS trainer-transformers
USER root
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    pip install --no-cache-dir -c /opt/constraints.txt -r /opt/requirements/transformers.txt
USER visionai
CMD ["transformers", "train"]

# --- the app: API, web UI and worker ------------------------------------------------------------------------------------
FROM base AS server
COPY --from=build /wheels /opt/wheels
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    pip install --no-cache-dir -c /opt/constraints.txt /opt/wheels/visionai-*.whl
ENV HOST=0.0.0.0 PORT=8000 DATA_DIR=/data LOG_FORMAT=json
EXPOSE 8000
VOLUME /data
USER visionai
WORKDIR /data
HEALTHCHECK --start-period=30s --interval=15s --timeout=5s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["tini", "--", "visionai"]
CMD ["serve"]

# --- everything in one container. TRAINERS names the frameworks, separated by commas ------------------------------------
FROM server AS all
ARG TRAINERS=timm
USER root
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \
    pip install --no-cache-dir -c /opt/constraints.txt "$(ls /opt/wheels/visionai-*.whl)[$TRAINERS]"
USER visionai
