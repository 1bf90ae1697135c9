# The bot in a container: its dependencies as pinned and hashed wheels, a user without rights, one volume.
FROM python:3.13-slim AS wheels
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: -r requirements.txt

FROM python:3.13-slim
# What the embedded engine (llama.cpp) is linked against.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin orquestrador \
 && install -d -m 0700 -o orquestrador -g orquestrador /data
COPY --from=wheels /venv /venv
WORKDIR /app
COPY LICENSE ./
COPY core ./core
COPY bot ./bot
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    HTTP_PORT=8080
USER orquestrador
VOLUME /data
# Without a terminal the console has nobody to talk to: give it TELEGRAM_BOT_TOKEN or DISCORD_BOT_TOKEN.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"HTTP_PORT\"]}/health', timeout=8)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "bot"]
