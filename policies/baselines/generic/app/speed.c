// An HTTP service: GET /health says that it is up, GET /speed?knots=N gives a speed in other units.
// `speed health` asks a running service and exits 0 when it is well: the health check of an image without curl.
#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned short port(void) {
    const char *text = getenv("PORT");
    int number = text ? atoi(text) : 8080;
    return number > 0 && number < 65536 ? (unsigned short)number : 8080;
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *body) {
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(body), (void *)body, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(void *service, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request) {
    (void)service, (void)version, (void)upload, (void)upload_size, (void)request;
    if (strcmp(method, "GET") != 0) return reply(connection, 405, "{\"error\":\"only GET\"}\n");
    if (strcmp(url, "/health") == 0) return reply(connection, 200, "{\"status\":\"ok\"}\n");
    if (strcmp(url, "/speed") != 0) return reply(connection, 404, "{\"error\":\"no such page\"}\n");

    const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "knots");
    char *end = NULL;
    double knots = text ? strtod(text, &end) : 0;
    if (!text || end == text || *end || knots < 0 || knots > 1e6) return reply(connection, 400, "{\"error\":\"knots: a number\"}\n");
    char body[128];
    snprintf(body, sizeof body, "{\"knots\":%.2f,\"km_h\":%.2f,\"m_s\":%.2f}\n", knots, knots * 1.852, knots * 1.852 / 3.6);
    return reply(connection, 200, body);
}

static int health(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port()), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 3};
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    if (peer < 0) return 1;
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    static const char request[] = "GET /health HTTP/1.0\r\n\r\n";
    char head[16] = {0};
    int well = connect(peer, (struct sockaddr *)&address, sizeof address) == 0 &&
               write(peer, request, sizeof request - 1) == (ssize_t)(sizeof request - 1) &&
               read(peer, head, sizeof head - 1) >= 12 && strncmp(head + 8, " 200", 4) == 0;
    close(peer);
    return well ? 0 : 1;
}

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "health") == 0) return health();

    sigset_t stop;
    int which;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, port(), NULL, NULL, answer, NULL, MHD_OPTION_END);
    if (!daemon) return perror("cannot listen"), 1;
    sigwait(&stop, &which);
    MHD_stop_daemon(daemon);
    return 0;
}
