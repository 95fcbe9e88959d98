# One image runs every process of the portal; which one is the command's choice (see docker-compose.yml).
# The target "sandbox" adds the stand-in for the vendor, which production images do not carry.

FROM node:22-slim AS front-end
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM python:3.13-slim AS packages
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv
COPY pyproject.toml uv.lock .python-version ./
RUN uv sync --locked --no-dev

FROM python:3.13-slim AS portal
RUN useradd --system --uid 10001 --create-home portal \
    && mkdir -p /data && chown portal:portal /data
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BIND_ADDRESS=0.0.0.0 \
    PORT=8000 \
    GUNICORN_CMD_ARGS="--no-control-socket --worker-tmp-dir /dev/shm"
COPY --from=packages /app/.venv .venv
COPY --from=front-end /app/node_modules node_modules
COPY manage.py gunicorn.conf.py ./
COPY portal portal
COPY numbers_app numbers_app
COPY templates templates
COPY static static
# Nothing of these placeholders stays in the image: the settings only have to load.
RUN SECRET_KEY=for-collectstatic-only CALLCAP_API_KEY=for-collectstatic-only \
    python manage.py collectstatic --noinput
USER portal
EXPOSE 8000
CMD ["gunicorn", "portal.wsgi"]

FROM portal AS sandbox
COPY sandbox sandbox
EXPOSE 8100
CMD ["gunicorn", "sandbox.wsgi", "--bind", "0.0.0.0:8100", "--workers", "1", "--threads", "8"]

# The last stage is what a build without a target makes.
FROM portal
