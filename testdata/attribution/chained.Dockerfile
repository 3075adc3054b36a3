# every instruction that changes files leaves a file with the number of its first line
FROM scratch AS base
COPY busybox /bin/busybox
COPY mark /line-4
RUN ["/bin/busybox", "touch", "/line-5"]
LABEL stage=base

FROM base AS build
ARG VERSION=9
RUN ["/bin/busybox", "touch", "/line-10"]
COPY mark /out/app

FROM base AS final
ARG VERSION=9
ENV A=$VERSION \
    B=2
# WORKDIR makes no layer here
WORKDIR /srv/$VERSION
COPY --from=build /out/app /line-19
ADD mark /line-20
RUN ["/bin/busybox", "sh", \
    # a comment within
     "-c", "/bin/busybox touch /line-21"]
EXPOSE 80
HEALTHCHECK CMD ["/bin/busybox", "true"]
COPY mark /line-26
USER 1000
CMD ["--x"]

FROM final AS debug
RUN ["/bin/busybox", "touch", "/line-31"]
