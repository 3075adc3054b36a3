// An HTTP service: GET /health says that it is up, GET /speed?knots=N gives a speed in other units.
import express from "express";
import helmet from "helmet";
import morgan from "morgan";
import { convert } from "./speed";

const app = express();
app.use(helmet());
app.use(morgan("combined"));

app.get("/health", (_request, response) => {
  response.json({ status: "ok" });
});

app.get("/speed", (request, response) => {
  const text = request.query.knots;
  const knots = typeof text === "string" && text !== "" ? Number(text) : NaN;
  if (!(knots >= 0 && knots <= 1e6)) {
    response.status(400).json({ error: "knots: a number" });
    return;
  }
  response.json(convert(knots));
});

const server = app.listen(Number(process.env.PORT ?? 8080));
process.on("SIGTERM", () => server.close());
process.on("SIGINT", () => server.close());
