"""An HTTP service: GET /health says that it is up, GET /speed?knots=N gives a speed in other units."""

from flask import Flask, jsonify, request

app = Flask(__name__)


def convert(knots):
    """A speed in knots, kilometres per hour and metres per second."""
    return {"knots": round(knots, 2), "km_h": round(knots * 1.852, 2), "m_s": round(knots * 1.852 / 3.6, 2)}


@app.get("/health")
def health():
    return jsonify(status="ok")


@app.get("/speed")
def speed():
    knots = request.args.get("knots", type=float)
    if knots is None or not 0 <= knots <= 1e6:
        return jsonify(error="knots: a number"), 400
    return jsonify(convert(knots))
