# ne in a container: everything of a run is in the volume /runs, so a container may die and another one goes on with it.
#
#   docker build -t ne .
#   docker run --rm -v "$PWD/runs:/runs" ne train Hopper-v4
#   docker run --rm -v "$PWD/runs:/runs" ne resume Hopper-v4-ne-s0
#   docker run --rm -v "$PWD/runs:/runs" -p 7305:7305 -e NE_SERVE_TOKEN=... ne serve --host 0.0.0.0

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
RUN apt-get update && apt-get install -y --no-install-recommends npm && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Self-contained, since Debian's image has no .NET; MuJoCo and the renderer are Debian 12's.
RUN CI=true dotnet publish NE.Shell -c Release --self-contained -o /opt/ne

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libmujoco2.2.2 libegl1 libegl-mesa0 libgl1-mesa-dri ffmpeg python3-minimal \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/ne /opt/ne
COPY clients/python /opt/ne/clients/python
ENV NE_RUNS=/runs PATH="/opt/ne:$PATH"
VOLUME /runs
WORKDIR /work
EXPOSE 7305
# `docker stop` sends SIGTERM, upon which a run commits; what has not ended after the grace period is killed, and goes on from its last commit.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/opt/ne/ne"]
CMD ["--help"]
