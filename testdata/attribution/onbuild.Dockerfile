FROM scratch AS parent
COPY busybox /bin/busybox
ONBUILD COPY mark /line-7
ONBUILD RUN ["/bin/busybox", "touch", "/line-7-run"]
ENV X=1

FROM parent
COPY mark /line-8
RUN ["/bin/busybox", "touch", "/line-9"]
