# The collector with its viewer, from this repository.
#
#   docker build -t framescope .
#   docker run -p 127.0.0.1:4318:4318 -p 127.0.0.1:4317:4317 -v framescope:/data \
#     -e FRAMESCOPE_TOKEN=at-least-16-characters framescope
#
# It listens on all addresses of its container, so it wants a token. On a network that keeps others
# out, FRAMESCOPE_ALLOW_REMOTE=1 does instead; FRAMESCOPE_ALLOWED_HOST=framescope lets other
# containers call it by that name.

FROM node:22-bookworm AS build
WORKDIR /src
COPY . .
# Its own set-up (dependencies, compile, viewer), then the packages as npm would publish them.
RUN npm run build \
  && mkdir /packed \
  && npm pack --ignore-scripts --pack-destination /packed -w @framescope/protocol -w framescope
WORKDIR /app
RUN npm init --yes >/dev/null \
  && npm install --ignore-scripts=false --no-audit --no-fund /packed/*.tgz

FROM node:22-bookworm-slim
COPY --from=build /app /app
RUN mkdir /data && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
ENV FRAMESCOPE_HOST=0.0.0.0 \
  FRAMESCOPE_PORT=4318 \
  FRAMESCOPE_GRPC_PORT=4317 \
  FRAMESCOPE_DATA=/data
EXPOSE 4318 4317
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4318/healthz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself, not a shell, gets the signal to stop: what was taken is stored first.
ENTRYPOINT ["node", "/app/node_modules/framescope/bin/framescope.js"]
