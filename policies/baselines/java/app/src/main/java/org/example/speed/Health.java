package org.example.speed;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;

/** Asks a running service and exits 0 when it is well: the health check of an image without curl. */
public final class Health {
    private Health() {}

    public static void main(String[] arguments) throws IOException {
        var connection = (HttpURLConnection) new URL("http://127.0.0.1:" + Server.port() + "/health").openConnection();
        connection.setConnectTimeout(3000);
        connection.setReadTimeout(3000);
        System.exit(connection.getResponseCode() == 200 ? 0 : 1);
    }
}
