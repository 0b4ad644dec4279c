# One image for every part: the runner (controller), the hosts of roles (worker), or any verb.
#   docker build -t kaos .                       docker run kaos version
#   docker run kaos worker                       docker run kaos controller scenarios/eos.lua ...
# `--build-arg TARGET=worker` makes a part the default.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc libc6-dev cmake ninja-build pkg-config liblua5.4-dev libuv1-dev librdkafka-dev \
        libjansson-dev liblz4-dev libsnappy-dev libzstd-dev zlib1g-dev libedit-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY docs docs
COPY lib lib
COPY src src
RUN mkdir tests && touch tests/CMakeLists.txt \
    && cmake --preset release && cmake --build build/release --target kaos

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        libuv1 librdkafka1 libjansson4 liblz4-1 libsnappy1v5 libzstd1 zlib1g libedit2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 kaos \
    && mkdir -p /kaos/.kaos && chown -R kaos /kaos
COPY --from=build /src/build/release/kaos /usr/local/bin/kaos
COPY docker/entry.sh /usr/local/bin/kaos-entry
COPY scenarios /kaos/scenarios
WORKDIR /kaos
USER kaos
ARG TARGET=run
ENV KAOS_TARGET=$TARGET
EXPOSE 7070
ENTRYPOINT ["kaos-entry"]
