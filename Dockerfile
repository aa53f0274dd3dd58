# The service, for databases elsewhere (compose.yaml). Written with care but not run: there was no Docker where it was
# written. Debian, because the packages are built for glibc.

FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

# Without what only development needs, and without the embedded PostgreSQL.
FROM node:22-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional

FROM node:22-slim
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8000) + '/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node itself and no shell or npm in between: so SIGTERM reaches the service. The settings of
# memory, as `npm start` has them (docs/operations.md).
CMD ["node", "--max-semi-space-size=4", "--heap-growing-percent=30", "--expose-gc", "dist/src/main.js", "serve"]
