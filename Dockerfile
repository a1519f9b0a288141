# One image for the API, the workers and the migrations, with a different command or ROLE. Build it with
# BuildKit (the default since Docker 23) or with buildah.
#
#   docker build -t headframe .
#
# In a network without the public registries:
#
#   docker build -t headframe \
#     --build-arg NODE_IMAGE=<your mirror>/node:20.20.2-bookworm-slim \
#     --build-arg NPM_REGISTRY=<address of your npm registry> \
#     --secret id=npmrc,src=$HOME/.npmrc .        # only for a registry with a password or its own CA
#
# There is no `# syntax=` line on purpose: it would make every build fetch a frontend image.

# Version and content are pinned. For another version use the digest that
# `docker buildx imagetools inspect node:<version>-bookworm-slim` prints first.
ARG NODE_IMAGE=node:20.20.2-bookworm-slim@sha256:2cf067cfed83d5ea958367df9f966191a942351a2df77d6f0193e162b5febfc0

# --- what both installations share -------------------------------------------------------------------
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
# Empty: npm's own default. package-lock.json names no host, only hashes, so any mirror will do.
ARG NPM_REGISTRY=
ENV npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false \
    npm_config_fetch_retries=5 npm_config_loglevel=error
COPY package.json package-lock.json ./

# --- the program -------------------------------------------------------------------------------------
FROM packages AS build
# With our own packages, and the optional ones, one of which is this platform's part of the bundler.
COPY packages/client/package.json packages/client/
COPY packages/console/package.json packages/console/
COPY packages/cli/package.json packages/cli/
RUN --mount=type=cache,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --ignore-scripts ${NPM_REGISTRY:+--registry="$NPM_REGISTRY"}
COPY prisma prisma
COPY scripts/setup/database-client.mjs scripts/setup/
RUN node scripts/setup/database-client.mjs
# The API client and the command line, which commands in src/cli import.
COPY scripts/setup/contract.mjs scripts/setup/
COPY docs/openapi.json docs/
COPY packages/client/tsconfig.json packages/client/
COPY packages/client/src packages/client/src
COPY packages/cli/tsconfig.json packages/cli/
COPY packages/cli/bin packages/cli/bin
COPY packages/cli/src packages/cli/src
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
RUN node scripts/setup/contract.mjs && npx tsc --project packages/client && npx tsc --project packages/cli
# The console, with the example that it loads into its forms.
COPY examples/meuse examples/meuse
COPY packages/console/index.html packages/console/tsconfig.json packages/console/vite.config.ts packages/console/
COPY packages/console/public packages/console/public
COPY packages/console/src packages/console/src
COPY scripts/setup/console-files.mjs scripts/setup/
RUN npx vite build packages/console --logLevel error && node scripts/setup/console-files.mjs
COPY scripts/setup/bundle.mjs scripts/setup/command-line.mjs scripts/setup/
COPY src src
# The demo is for checkouts.
# Files keep the modes of the machine that builds the image, but the service runs as another user.
RUN npx nest build && node scripts/setup/bundle.mjs && rm -r dist/cli/demo \
 && node scripts/setup/command-line.mjs \
 && chmod -R go+rX dist prisma package.json packages/cli packages/console/dist

# --- the packages it needs to run --------------------------------------------------------------------
FROM packages AS dependencies
# Optional packages are the embedded database for development; nothing in the service imports our own packages,
# and the command line is one file, with all that it needs.
# Of Prisma's query compilers (one per database, two sizes, two module formats) the client imports one:
# test/containers checks that these are its files. Source maps and type declarations are not needed to run.
RUN --mount=type=cache,target=/root/.npm \
    --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --omit=dev --omit=optional --workspaces=false --ignore-scripts ${NPM_REGISTRY:+--registry="$NPM_REGISTRY"} \
 && find node_modules/@prisma/client/runtime -type f \
      ! -name 'client.js' ! -name 'query_compiler_fast_bg.postgresql.*mjs' -delete \
 && find node_modules -type f \
      \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
 && chmod -R go+rX node_modules

# --- the image ---------------------------------------------------------------------------------------
FROM ${NODE_IMAGE} AS runtime
# The service installs nothing, so it needs no package managers: what is not there needs no patching.
RUN rm -rf /usr/local/lib/node_modules /opt/yarn* /usr/local/bin/npm /usr/local/bin/npx \
      /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
# Ordered from what changes seldom to what changes with every commit. All of it belongs to root: the service
# cannot write to its own program, and writes nowhere else.
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/package.json package.json
COPY --from=build /app/prisma/migrations prisma/migrations
COPY --from=build /app/packages/cli/package.json cli/package.json
COPY --from=build /app/packages/cli/bin cli/bin
COPY --from=build /app/packages/cli/bundle cli/dist
COPY --from=build /app/packages/console/dist packages/console/dist
COPY --from=build /app/dist dist
COPY deploy/entrypoint.sh /app/entrypoint.sh
# If something is missing, fail this build rather than a deployment.
RUN ["node", "-e", "import('/app/dist/app.js')"]
# The command line, for whoever looks into a container.
RUN ln -s /app/cli/bin/headframe.js /usr/local/bin/headframe && headframe --version
# The image's user "node", by number: Kubernetes' runAsNonRoot accepts nothing else.
USER 1000:1000
EXPOSE 3000
# On SIGTERM a worker finishes its jobs or hands them back: see SHUTDOWN_SECONDS.
STOPSIGNAL SIGTERM
# "live", not "ready": to an orchestrator, unhealthy means "restart it", and a restart cures a process that
# hangs, not a database that is away. Load balancers should ask /health/ready.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Process 1: hides the environment's secrets from the commands of tasks, and waits for processes that they
# leave behind. No other init is needed, and one added by the runtime would expose the secrets again.
ENTRYPOINT ["/bin/sh", "/app/entrypoint.sh"]
CMD ["node", "--enable-source-maps", "dist/main.js"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Headframe" \
      org.opencontainers.image.description="A self-hosted, multi-tenant Task API for compute jobs" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
