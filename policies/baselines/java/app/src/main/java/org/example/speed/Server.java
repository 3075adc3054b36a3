package org.example.speed;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.Executors;

/** An HTTP service: GET /health says that it is up, GET /speed?knots=N gives a speed in other units. */
public final class Server {
    private Server() {}

    static int port() {
        return Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
    }

    static String speed(double knots) {
        double kmH = knots * 1.852;
        return String.format(Locale.ROOT, "{\"knots\":%.2f,\"km_h\":%.2f,\"m_s\":%.2f}\n", knots, kmH, kmH / 3.6);
    }

    private static void speed(HttpExchange exchange) throws IOException {
        String query = exchange.getRequestURI().getQuery();
        try {
            double knots = Double.parseDouble(query == null || !query.startsWith("knots=") ? "" : query.substring("knots=".length()));
            if (knots >= 0 && knots <= 1e6) {
                reply(exchange, 200, speed(knots));
                return;
            }
        } catch (NumberFormatException notANumber) {
            // answered below, as a number out of range is
        }
        reply(exchange, 400, "{\"error\":\"knots: a number\"}\n");
    }

    private static void reply(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(port()), 0);
        server.createContext("/health", exchange -> reply(exchange, 200, "{\"status\":\"ok\"}\n"));
        server.createContext("/speed", Server::speed);
        server.createContext("/", exchange -> reply(exchange, 404, "{\"error\":\"no such page\"}\n"));
        server.setExecutor(Executors.newFixedThreadPool(8));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(1)));
        server.start();
    }
}
