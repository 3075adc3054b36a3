package main

import "testing"

func TestTenKnots(t *testing.T) {
	if got := convert(10); got != (speed{10, 18.52, 5.14}) {
		t.Errorf("convert(10) = %v", got)
	}
}
