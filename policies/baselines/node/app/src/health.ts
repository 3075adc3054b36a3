// Asks a running service and exits 0 when it is well: the health check of an image without curl.
import { get } from "http";

get({ port: Number(process.env.PORT ?? 8080), path: "/health", timeout: 3000 }, (response) => {
  process.exit(response.statusCode === 200 ? 0 : 1);
})
  .on("timeout", () => process.exit(1))
  .on("error", () => process.exit(1));
