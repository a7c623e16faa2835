# The build needs network access for Go modules only. The image has one static binary.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -X semlb/cli.release=${VERSION}" -o /semlb .

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /semlb /usr/local/bin/semlb
COPY LICENSE embeddings/static/model/NOTICE /usr/share/doc/semlb/
# It needs no capability, and a read-only root is enough; its socket is in /tmp.
USER 65532:65532
# gRPC for Envoy, metrics and health. The Admin API stays on the container's loopback.
EXPOSE 8081 8100
ENTRYPOINT ["/usr/local/bin/semlb"]
CMD ["serve", "-c", "/etc/semlb/kong.yaml", "--listen", "0.0.0.0:8000", "--grpc-listen", "0.0.0.0:8081", "--status", "0.0.0.0:8100"]
