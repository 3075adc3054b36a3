// An HTTP service: GET /health says that it is up, GET /speed?knots=N gives a speed in other units.
// `speed health` asks a running service and exits 0 when it is well: the health check of an image without curl.
package main

import (
	"context"
	"encoding/json"
	"log"
	"math"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

type speed struct {
	Knots float64 `json:"knots"`
	KmH   float64 `json:"km_h"`
	MS    float64 `json:"m_s"`
}

func convert(knots float64) speed {
	round := func(value float64) float64 { return math.Round(value*100) / 100 }
	return speed{round(knots), round(knots * 1.852), round(knots * 1.852 / 3.6)}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("/speed", func(w http.ResponseWriter, r *http.Request) {
		knots, err := strconv.ParseFloat(r.URL.Query().Get("knots"), 64)
		if err != nil || !(knots >= 0 && knots <= 1e6) {
			reply(w, http.StatusBadRequest, map[string]string{"error": "knots: a number"})
			return
		}
		reply(w, http.StatusOK, convert(knots))
	})
	return mux
}

func health(port string) int {
	client := http.Client{Timeout: 3 * time.Second}
	response, err := client.Get("http://127.0.0.1:" + port + "/health")
	if err != nil || response.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	if len(os.Args) > 1 && os.Args[1] == "health" {
		os.Exit(health(port))
	}

	server := &http.Server{Addr: ":" + port, Handler: routes(), ReadHeaderTimeout: 5 * time.Second}
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer release()
	go func() {
		<-stop.Done()
		_ = server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
