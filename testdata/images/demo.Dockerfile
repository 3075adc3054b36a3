FROM debian:12-slim
RUN apt-get update && apt-get install -y tcc
WORKDIR /app
COPY server /app/server
RUN cp /usr/bin/tcc /usr/local/bin/build-helper \
 && chmod u+s /app/server
CMD ["/app/server"]
